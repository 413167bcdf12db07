//! Passwords: what is taken for one, and how it is kept.

use crate::store::StoreError;
use crate::world::{World, random};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use holdfast_domain::Secret;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

/// Shortest password, in characters: long enough that guessing fails without rules about digits and
/// signs, which make people write passwords down.
pub(crate) const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in characters: more is no password, and hashing takes time by length.
pub(crate) const PASSWORD_CHARS_MAX: usize = 200;
/// Memory of one hash in KiB: what OWASP asks of argon2id for two passes. It makes guessing on
/// graphics cards dear, and eight of them at once still fit a small server.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory: with it, about 30 ms on a small server.
const PASSES: u32 = 2;
/// Lanes: one, because each try has one processor core to itself.
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Hashes computed at once: a flood of tries waits here and takes neither memory nor cores.
const AT_ONCE: usize = 2;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// Why a text is no good password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakPassword {
    #[error("Use at least {PASSWORD_CHARS_MIN} characters; a few words in a row are easy to keep.")]
    Short,
    #[error("Use at most {PASSWORD_CHARS_MAX} characters.")]
    Long,
    #[error("Use more than one or two different characters.")]
    Monotonous,
    #[error("Choose something that does not contain the name.")]
    HasName,
}

/// Checks a new password of somebody.
pub(crate) fn check(password: &str, name: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    if length < PASSWORD_CHARS_MIN {
        return Err(WeakPassword::Short);
    }
    if length > PASSWORD_CHARS_MAX {
        return Err(WeakPassword::Long);
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    if different.len() < 4 {
        return Err(WeakPassword::Monotonous);
    }
    if password.to_lowercase().contains(&name.to_lowercase()) {
        return Err(WeakPassword::HasName);
    }
    Ok(())
}

/// What is kept of a password: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
pub(crate) async fn hash(
    password: Secret<String>,
    world: &dyn World,
) -> Result<String, StoreError> {
    let salt = random::<SALT_BYTES>(world)?;
    let digest = digest(password, salt.to_vec(), (MEMORY_KIB, PASSES, LANES)).await?;
    let (salt, digest) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&digest));
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"))
}

/// True if this is the password. Without a kept one the same work is done, so that the time tells
/// nobody which names exist.
pub(crate) async fn verify(
    password: Secret<String>,
    kept: Option<&str>,
) -> Result<bool, StoreError> {
    let parsed = kept.and_then(parse);
    let (costs, salt, wanted) = match &parsed {
        Some(kept) => (kept.costs, kept.salt.clone(), kept.digest.clone()),
        None => ((MEMORY_KIB, PASSES, LANES), vec![0; SALT_BYTES], vec![0; HASH_BYTES]),
    };
    let digest = digest(password, salt, costs).await?;
    Ok(parsed.is_some() && bool::from(digest.ct_eq(&wanted)))
}

struct Kept {
    costs: (u32, u32, u32),
    salt: Vec<u8>,
    digest: Vec<u8>,
}

fn parse(kept: &str) -> Option<Kept> {
    let rest = kept.strip_prefix("$argon2id$v=19$")?;
    let mut parts = rest.split('$');
    let mut costs = parts.next()?.split(',');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
    let costs = (cost("m=")?, cost("t=")?, cost("p=")?);
    let mut bytes = || BASE64_NOPAD.decode(parts.next()?.as_bytes()).ok();
    let (salt, digest) = (bytes()?, bytes()?);
    (digest.len() == HASH_BYTES).then_some(Kept { costs, salt, digest })
}

async fn digest(
    password: Secret<String>,
    salt: Vec<u8>,
    (memory, passes, lanes): (u32, u32, u32),
) -> Result<Vec<u8>, StoreError> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES));
    let params = params.map_err(|_| StoreError::Damaged("password"))?;
    let _place = PLACES.acquire().await.map_err(|_| StoreError::Closed)?;
    let work = tokio::task::spawn_blocking(move || {
        let mut digest = vec![0; HASH_BYTES];
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done = argon.hash_password_into(password.expose().as_bytes(), &salt, &mut digest);
        done.map(|()| digest)
    });
    let done = work.await.map_err(|_| StoreError::Closed)?;
    done.map_err(|_| StoreError::Damaged("password"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemWorld;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_password_and_no_other_is_known_again() {
        let kept = hash(secret("correct horse battery"), &SystemWorld).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(!kept.contains("horse"));
        let again = hash(secret("correct horse battery"), &SystemWorld).await.unwrap();
        assert_ne!(kept, again, "each has its own salt");
        assert!(verify(secret("correct horse battery"), Some(&kept)).await.unwrap());
        for (word, kept) in [
            ("correct horse batterz", Some(kept.as_str())),
            ("", Some(kept.as_str())),
            ("", Some("")),
            ("", None),
            ("correct horse battery", Some("$argon2id$v=19$m=1,t=1,p=1$AA")),
        ] {
            assert!(!verify(secret(word), kept).await.unwrap(), "{word} {kept:?}");
        }
    }

    #[test]
    fn weak_passwords_are_named() {
        for (password, why) in [
            ("short", WeakPassword::Short),
            ("aaaaaaaaaaaabb", WeakPassword::Monotonous),
            ("ADA okafor 1234", WeakPassword::HasName),
        ] {
            assert_eq!(check(password, "Ada Okafor"), Err(why));
        }
        assert_eq!(check(&"ab12".repeat(51), "Ada"), Err(WeakPassword::Long));
        assert_eq!(check("three green lamps", "Ada"), Ok(()));
    }
}
