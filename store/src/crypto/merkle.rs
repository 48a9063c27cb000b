//! The Merkle tree over the journal, hashed as RFC 6962 section 2.1 defines.
//!
//! ```text
//! MTH({})      = SHA-256()
//! MTH({d0})    = SHA-256(0x00 || d0)
//! MTH(D[n])    = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))     k = the largest power of two below n
//! ```
//!
//! Only the [`Frontier`] is stored: the roots of the complete subtrees along the right edge, one for each 1 in the binary size. That is
//! enough to append a leaf and to compute the root, with at most 64 hashes.

use aws_lc_rs::digest;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// SHA-256 over the concatenated parts. The boundaries between parts are not hashed: a caller that needs them adds its own framing.
pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The hash of one leaf: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Stored bytes that are not a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Fewer bytes than the 8 of the size.
    #[error("a frontier begins with 8 bytes of size, here are {0} bytes in all")]
    NoSize(usize),
    /// The number of hashes does not fit the size.
    #[error("a frontier of {size} leaves takes {expected} bytes, here are {found}")]
    Length {
        /// The number of leaves that the bytes state.
        size: u64,
        /// The bytes that such a frontier takes.
        expected: usize,
        /// The bytes that are there.
        found: usize,
    },
}

/// The right edge of an append-only tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the complete subtrees, largest (leftmost) first: as many as `size` has ones in binary.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf, given by its [`leaf_hash`].
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // As in binary addition: each trailing 1 of the size is a subtree as large as the carried one, and is joined with it.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root of the whole tree; of an empty tree, SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let from_the_right = self.roots.iter().rev().copied();
        from_the_right
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(&[]))
    }

    /// The stored form: the size (8 bytes, big-endian), then each root of 32 bytes, largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend_from_slice(self.roots.as_flattened());
        bytes
    }

    /// Parses what [`Frontier::to_bytes`] wrote. Does not prove the hashes: a checkpoint does.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk().ok_or(FrontierError::NoSize(bytes.len()))?;
        let size = u64::from_be_bytes(*size);
        let (roots, left_over) = rest.as_chunks::<32>();
        let ones = size.count_ones() as usize;
        if roots.len() != ones || !left_over.is_empty() {
            return Err(FrontierError::Length {
                size,
                expected: 8 + 32 * ones,
                found: bytes.len(),
            });
        }
        Ok(Frontier {
            size,
            roots: roots.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;
    use crate::environment::hex;

    fn grown(leaves: &[Vec<u8>]) -> Frontier {
        leaves.iter().fold(Frontier::default(), |mut tree, leaf| {
            tree.append(leaf_hash(leaf));
            tree
        })
    }

    /// The eight leaves and nine roots of the reference tests of RFC 6962 (google/certificate-transparency).
    #[test]
    fn merkle_roots_match_rfc_6962_vectors() {
        let leaves: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        assert_eq!(
            hex(&tree.root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (size, (leaf, root)) in (1..).zip(leaves.iter().zip(roots)) {
            tree.append(leaf_hash(leaf));
            assert_eq!((tree.size(), hex(&tree.root())), (size, root.to_owned()));
        }
    }

    proptest! {
        /// The root equals that of the `ct-merkle` crate.
        #[test]
        fn merkle_root_equals_ct_merkle_crate(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..300)) {
            let tree = grown(&leaves);
            let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            leaves.iter().cloned().for_each(|leaf| other.push(leaf));
            prop_assert_eq!(tree.size(), other.len());
            let root = other.root();
            prop_assert_eq!(&tree.root()[..], &root.as_bytes()[..]);
        }

        /// A frontier that was stored and read back continues with the same root.
        #[test]
        fn stored_frontier_continues_with_same_root(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 1..100), at in any::<prop::sample::Index>()) {
            let (before, after) = leaves.split_at(at.index(leaves.len()));
            let mut tree = Frontier::from_bytes(&grown(before).to_bytes()).unwrap();
            after.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
            prop_assert_eq!(tree, grown(&leaves));
        }

        /// Bytes that are no frontier are refused.
        #[test]
        fn frontier_from_other_bytes_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(tree) = Frontier::from_bytes(&bytes) {
                prop_assert_eq!(tree.to_bytes(), bytes);
            }
        }
    }

    /// The error names the wrong length.
    #[test]
    fn frontier_of_wrong_length_named_in_error() {
        let bytes = grown(&[vec![1], vec![2], vec![3]]).to_bytes();
        assert_eq!(Frontier::from_bytes(&bytes[..7]), Err(FrontierError::NoSize(7)));
        for found in [8, 8 + 32, 8 + 63] {
            let error = FrontierError::Length {
                size: 3,
                expected: 72,
                found,
            };
            assert_eq!(Frontier::from_bytes(&bytes[..found]), Err(error));
        }
        assert!(Frontier::from_bytes(&[&bytes[..], &[0; 32]].concat()).is_err());
        assert_eq!(Frontier::from_bytes(&[0; 8]), Ok(Frontier::default()));
    }
}
