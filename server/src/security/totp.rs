//! The operators' authenticator codes (TOTP, RFC 6238): six digits, new every half minute. A clock that is half a minute off is tolerated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Totp};

/// The name of this service in the authenticator.
const ISSUER: &str = "Hue-S";

/// The codes of one operator.
pub struct Authenticator(Totp);

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

impl Authenticator {
    /// The authenticator of an operator with that secret.
    pub fn new(operator: &str, secret: &[u8; 20]) -> Self {
        let codes = Builder::new()
            .with_secret(secret.as_slice())
            .with_account_name(operator)
            .with_issuer(Some(ISSUER));
        Self(codes.build_noncompliant())
    }

    /// The step (half minutes since 1970) of a valid code: the present one, the previous or the next, because a clock may be half a minute
    /// off.
    pub fn step(&self, typed: &str, now: Timestamp) -> Option<u64> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        self.0.check(&digits, seconds(now))
    }

    /// The code at an instant.
    pub fn code(&self, at: Timestamp) -> String {
        self.0.generate(seconds(at)).to_string()
    }

    /// For how many seconds the code at an instant remains valid.
    pub fn stays(&self, at: Timestamp) -> u64 {
        self.0.next_step(seconds(at)) - seconds(at)
    }

    /// The secret in groups of four characters, for typing.
    pub fn secret(&self) -> String {
        let text = self.0.secret().to_base32();
        let groups: Vec<&str> = text
            .as_bytes()
            .chunks(4)
            .filter_map(|four| str::from_utf8(four).ok())
            .collect();
        groups.join(" ")
    }

    /// The secret as a QR code: a data URL of the image.
    pub fn picture(&self) -> Option<String> {
        let code = QrCode::new(self.0.to_url().ok()?).ok()?;
        let svg = code.render::<svg::Color>().build();
        Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six digits of the SHA-1 column.
    #[test]
    fn totp_codes_match_rfc_6238_vectors() {
        let authenticator = Authenticator::new("lan", b"12345678901234567890");
        for (second, code) in [
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(authenticator.code(at), code);
            let step = u64::try_from(second).unwrap() / 30;
            assert_eq!(authenticator.step(code, at), Some(step));
            let typed = format!(" {} {} ", &code[..3], &code[3..]);
            for (off, known) in [(-30, true), (30, true), (-60, false), (60, false)] {
                let then = Timestamp::from_second(second + off).unwrap_or(Timestamp::MIN);
                assert_eq!(authenticator.step(&typed, then).is_some(), known, "{second} {off}");
            }
        }
        assert_eq!(authenticator.step("", Timestamp::UNIX_EPOCH), None);
    }

    /// The secret can be typed or scanned as a QR code.
    #[test]
    fn totp_secret_shown_as_text_and_qr_code() {
        let authenticator = Authenticator::new("lan", b"12345678901234567890");
        assert_eq!(authenticator.secret(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let picture = authenticator.picture().unwrap();
        let svg = STANDARD
            .decode(picture.strip_prefix("data:image/svg+xml;base64,").unwrap())
            .unwrap();
        assert!(String::from_utf8(svg).unwrap().contains("<svg"));
        assert!(
            authenticator
                .0
                .to_url()
                .unwrap()
                .starts_with("otpauth://totp/Hue-S:lan?secret=GEZDGNBV")
        );
    }
}
