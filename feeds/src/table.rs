//! The canonical tables and their columns.

/// A canonical table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// The administrative tree.
    Units,
    /// The national population registry.
    Registry,
    /// Citizens' accounts imported from Hue-S.
    Citizens,
    /// Imported accounts of officials.
    Officials,
    /// The extract of the HR system.
    Profiles,
    /// Movement notices.
    Notices,
}

impl Table {
    /// Every table, in the order in which a new installation loads them.
    pub const ALL: [Self; 6] = [
        Self::Units,
        Self::Registry,
        Self::Citizens,
        Self::Officials,
        Self::Profiles,
        Self::Notices,
    ];

    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Registry => "registry",
            Self::Citizens => "citizens",
            Self::Officials => "officials",
            Self::Profiles => "profiles",
            Self::Notices => "notices",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The required columns.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Units => &["code", "parent", "name", "kind", "valid_from", "valid_to", "successor"],
            Self::Registry => &[
                "national_id",
                "full_name",
                "birth_date",
                "gender",
                "issued_on",
                "phone",
                "residence_unit",
                "status",
            ],
            Self::Citizens => &[
                "account_id",
                "username",
                "display_name",
                "national_id",
                "phone",
                "email",
                "unit",
                "created_on",
                "last_sign_in_on",
                "password_hash",
            ],
            Self::Officials => &[
                "account_id",
                "username",
                "employee_code",
                "full_name",
                "birth_date",
                "national_id",
                "unit",
                "email",
                "phone",
                "created_on",
                "last_sign_in_on",
                "password_hash",
            ],
            Self::Profiles => &[
                "employee_code",
                "full_name",
                "birth_date",
                "gender",
                "national_id",
                "unit",
                "position",
                "kind",
                "status",
                "status_from",
                "phone",
                "email",
                "created_on",
                "updated_on",
                "reviewed_on",
                "next_due_on",
                "next_due_item",
            ],
            Self::Notices => &[
                "notice_no",
                "national_id",
                "from_unit",
                "to_unit",
                "effective_on",
                "withdrawn_on",
            ],
        }
    }

    /// The optional columns.
    pub fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Registry | Self::Profiles => &["former_ids"],
            Self::Citizens => &["held_reason"],
            Self::Officials => &["held_reason", "kind"],
            Self::Units | Self::Notices => &[],
        }
    }
}
