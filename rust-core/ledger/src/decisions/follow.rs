//! Card pages whose order nobody has brought again, looked at until they are final.

use crate::recovery::FoundSession;
use crate::schedule::check_again_ms;
use crate::store::{Decision, Env, StoreError, Tx};
use holdfast_domain::SessionStatus;

/// Somebody looked at a found session, or could not.
#[derive(Clone)]
pub struct FollowFound {
    /// As it was before the look.
    pub found: FoundSession,
    /// As it is now; none if Stripe did not say.
    pub seen: Option<FoundSeen>,
}

/// A found session as Stripe shows it.
#[derive(Clone)]
pub struct FoundSeen {
    /// How far it is.
    pub status: SessionStatus,
    /// True if the money is there.
    pub is_paid: bool,
    /// Its page, while it is open.
    pub url: Option<String>,
}

impl Decision for FollowFound {
    /// The session as it stands now; none if its order came meanwhile.
    type Outcome = Option<FoundSession>;

    async fn decide<T: Tx>(
        &self,
        tx: &mut T,
        env: &Env,
    ) -> Result<Option<FoundSession>, StoreError> {
        let waiting = tx.found_sessions(&self.found.tenant, self.found.payment).await?;
        let found = waiting.into_iter().find(|it| it.session == self.found.session);
        let Some(mut found) = found else { return Ok(None) };
        found.looks = found.looks.saturating_add(1);
        found.due_at_ms = env.now_ms.saturating_add(check_again_ms(found.looks));
        if let Some(FoundSeen { status, is_paid, url }) = &self.seen {
            (found.status, found.is_paid) = (*status, *is_paid);
            found.url = url.clone().filter(|_| *status == SessionStatus::Open);
            if FoundSession::is_final(*status, *is_paid) {
                found.due_at_ms = 0;
            }
        }
        tx.put_found_session(&found).await?;
        Ok(Some(found))
    }
}
