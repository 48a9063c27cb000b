//! The claims that a client gets about an account: by scopes (OpenID Connect Core 5.4) and one by one (5.5), never more than its scopes
//! allow.

use crate::app::App;
use crate::i18n::Locale;
use crate::openid::error::OAuthError;
use crate::openid::requested_claims::{CLAIMS, RequestedClaims};
use ngomon_rules::citizens::Gate;
use ngomon_rules::records::{AccountKind, Profile};
use ngomon_store::{AccountClaims, Grant, RegisteredClient};
use serde_json::{Map, Value, json};

/// Where claims are delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ClaimsDestination {
    /// To the bearer of the access token: the claims of its scopes, and those requested one by one.
    Userinfo,
    /// In the ID token: only the claims requested one by one.
    IdToken,
}

/// The claims of a grant for that destination. `None` if the account no longer exists.
pub async fn claims_for(
    app: &App,
    known: &RegisteredClient,
    grant: &Grant,
    scope: &str,
    to: ClaimsDestination,
) -> Result<Option<Value>, OAuthError> {
    let wanted = RequestedClaims::read(grant.given.claims.as_deref()).unwrap_or_default();
    let one_by_one = match to {
        ClaimsDestination::Userinfo => wanted.userinfo,
        ClaimsDestination::IdToken => wanted.id_token,
    };
    let names: Vec<&str> = CLAIMS
        .iter()
        .filter(|(name, of)| {
            let by_scope = to == ClaimsDestination::Userinfo && scope.split(' ').any(|word| word == of.name());
            let by_name = one_by_one.iter().any(|one| one == name);
            // The client's scopes of today limit the claims, whatever the grant allowed earlier.
            (by_scope || by_name) && known.client.scopes.contains(of)
        })
        .map(|(name, _)| *name)
        .collect();
    let mut claims = Map::new();
    claims.insert("sub".into(), json!(grant.subject));
    if names.is_empty() {
        return Ok(Some(Value::Object(claims)));
    }
    let Some(about) = app.store.about(&grant.account).await? else {
        return Ok(None);
    };
    let asks_hr = names.iter().any(|name| HR_SAYS.contains(name));
    let profile = match about.kind {
        AccountKind::Official if asks_hr => app.store.own_profile(&grant.account).await?.map(|own| own.profile),
        _ => None,
    };
    for name in names {
        let value = match name {
            "groups" => groups(app, &about).await?,
            "employment" => employment(app, known, &about, profile.as_ref(), grant).await?,
            name => value(app, &about, profile.as_ref(), name),
        };
        if !value.is_null() {
            claims.insert(name.to_owned(), value);
        }
    }
    Ok(Some(Value::Object(claims)))
}

/// The claims that need the official's HR profile.
const HR_SAYS: [&str; 7] = [
    "national_id",
    "national_id_verified",
    "phone_number",
    "phone_number_verified",
    "email",
    "email_verified",
    "employment",
];

pub fn value(app: &App, about: &AccountClaims, profile: Option<&Profile>, name: &str) -> Value {
    let stated = &about.stated;
    // A number is verified if the registry or HR vouches for it; otherwise only the account states it.
    let vouched = match profile {
        Some(profile) => profile.national_id,
        None => stated.national_id.filter(|_| about.proof.is_some()),
    };
    let number = vouched.or(stated.national_id);
    // Phone and mail "are taken over from HR", which vouches for them. A phone that a counter recorded later is the owner's word alone.
    let hr_phone = profile.filter(|one| !stated.has_newer_phone_than(one));
    let (hr_phone, hr_email) = (
        hr_phone.and_then(|one| one.phone.as_ref()),
        profile.and_then(|one| one.email.as_ref()),
    );
    let (phone, email) = (hr_phone.or(stated.phone.as_ref()), hr_email.or(stated.email.as_ref()));
    let (family, given) = stated
        .full_name
        .as_ref()
        .map_or((None, None), |name| in_two(name.as_str()));
    match name {
        "name" => json!(stated.full_name.as_ref().map(|name| name.as_str())),
        "preferred_username" => json!(stated.username),
        "account_kind" => json!(about.kind.name()),
        "family_name" => json!(family),
        "given_name" => json!(given),
        "phone_number" => json!(phone.map(|phone| phone.as_str())),
        "phone_number_verified" if phone.is_some() => json!(hr_phone.is_some() || about.phone_verified),
        "email" => json!(email),
        "email_verified" if email.is_some() => json!(hr_email.is_some()),
        "national_id" => json!(number.map(|number| number.as_str().to_owned())),
        "national_id_verified" if number.is_some() => json!(vouched.is_some()),
        "standardisation" => match about.gate {
            Some(gate) => json!({
                "state": gate.name(),
                "proof": about.proof,
                "form": format!("{}/form", app.issuer()),
                "deadline": about.deadline.map(|day| day.to_string()),
                "exempt_until": about.exempt_to.filter(|_| gate == Gate::Exempt).map(|day| day.to_string()),
                "announcement": {"vi": announcement(about, gate, "vi"), "en": announcement(about, gate, "en")},
            }),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

/// Splits a Vietnamese name into its first word and the rest: a convention for software that has two fields. The `name` claim is
/// authoritative.
fn in_two(name: &str) -> (Option<&str>, Option<&str>) {
    match name.split_once(' ') {
        Some((family, given)) => (Some(family), Some(given)),
        None => (None, Some(name)),
    }
}

/// The text about the campaign that a system of citizens may show to this account's owner.
fn announcement(about: &AccountClaims, gate: Gate, language: &str) -> Value {
    let Some(locale) = Locale::of_tag(language) else {
        return Value::Null;
    };
    let text = match gate {
        Gate::Standardised => locale.text("announce-standardised"),
        Gate::Exempt => match about.exempt_to {
            Some(day) => locale.text_with("home-exempt", &[("day", &locale.day(day))]),
            None => return Value::Null,
        },
        Gate::Pending => locale.text("announce-pending"),
        Gate::Rests if about.frozen => locale.text("announce-freeze"),
        Gate::Rests => return Value::Null,
        Gate::Asked | Gate::Required => {
            let deadline = about.deadline;
            let deadline = deadline.map(|day| locale.text_with("form-deadline", &[("day", &locale.day(day))]));
            [Some(locale.text("form-lead")), deadline]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        }
    };
    json!({"title": locale.text("form-title"), "text": text})
}

/// The codes of the account's unit and of all units above it: common software reads them as groups. A citizen is in none.
async fn groups(app: &App, about: &AccountClaims) -> Result<Value, OAuthError> {
    if about.kind == AccountKind::Citizen {
        return Ok(Value::Null);
    }
    let mut groups = Vec::new();
    let mut next = Some(about.unit.clone());
    while let Some(code) = next {
        let unit = app.store.unit_today(&code).await?;
        let Some(unit) = unit.filter(|unit| !groups.contains(&unit.code)) else {
            break;
        };
        next = unit.parent;
        groups.push(unit.code);
    }
    Ok(json!(groups.iter().map(|code| code.as_str()).collect::<Vec<_>>()))
}

async fn employment(
    app: &App,
    known: &RegisteredClient,
    about: &AccountClaims,
    profile: Option<&Profile>,
    grant: &Grant,
) -> Result<Value, OAuthError> {
    let unit = app.store.unit_today(&about.unit).await?;
    let unit = unit.as_ref();
    Ok(json!({
        "unit": unit.map(|unit| unit.code.as_str()),
        "unit_name": unit.map(|unit| unit.name.as_str()),
        "position": profile.map(|profile| &profile.position),
        "employee_code": about.stated.employee_code,
        "former_sub": app.store.former_subjects(&known.id, &grant.account).await?,
    }))
}
