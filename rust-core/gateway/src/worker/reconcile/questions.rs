//! Questions to Stripe about events, asked page by page and never left before their end.
//!
//! Stripe names the newest event first. One look reads so many pages; what is beyond is older, and the
//! next look goes on there, in the same window of time. How far a question has come is stored with
//! every page, so neither a busy night nor a restart skips an event.

use super::Failure;
use crate::core::Core;
use crate::deliveries::replay;
use crate::store::{StoreError, WriteTx, rows};
use holdfast_domain::{Mode, PaymentTypeCode, TenantSlug};
use holdfast_ledger::work::FOLLOWED;
use holdfast_stripe::objects::{Event, List};
use holdfast_stripe::{CallError, Client, Created, Page};
use sqlx::query;

/// Pages of a hundred that one look reads of one question, so that other tenants get their turn. How many
/// a second is the client's to keep within Stripe's limit.
const PAGES_MAX: usize = 20;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Which events could no endpoint be given?
    Undelivered,
    /// Which events of the types that we follow were there at all?
    All,
}

impl Question {
    fn as_str(self) -> &'static str {
        match self {
            Self::Undelivered => "undelivered",
            Self::All => "all",
        }
    }
}

/// From when to when. Unix seconds, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from_s: i64,
    pub(super) until_s: i64,
}

/// How far a look has come with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Every event of this window was read.
    Whole(Window),
    /// There are older ones; the next look goes on.
    Part,
}

/// Asks with one set of keys.
pub(super) struct Asker<'a> {
    pub(super) core: &'a Core,
    pub(super) tenant: &'a TenantSlug,
    pub(super) code: &'a PaymentTypeCode,
    pub(super) mode: Mode,
    pub(super) client: &'a Client,
}

impl Asker<'_> {
    /// Goes on with a question that was not finished, or begins it anew with this window.
    pub(super) async fn ask(&self, question: Question, anew: Window) -> Result<Asked, Failure> {
        let (window, after) = match self.unfinished(question).await? {
            Some((window, after)) => (window, Some(after)),
            None => (anew, None),
        };
        let mut page = Page { starting_after: after, ..Page::default() };
        for _ in 0..PAGES_MAX {
            let List { data, has_more } = match self.page(question, window, &page).await {
                Ok(list) => list,
                Err(error) => return self.give_up(question, &page, error).await,
            };
            for event in &data {
                self.take(event).await?;
            }
            match data.last().filter(|_| has_more) {
                Some(last) => {
                    self.keep(question, window, last.id.clone()).await?;
                    page.starting_after = Some(last.id.clone());
                }
                None => {
                    self.forget(question).await?;
                    return Ok(Asked::Whole(window));
                }
            }
        }
        let (tenant, question) = (self.tenant, question.as_str());
        tracing::info!(%tenant, question, "more events at Stripe than one look reads; going on");
        Ok(Asked::Part)
    }

    async fn page(
        &self,
        question: Question,
        window: Window,
        page: &Page,
    ) -> Result<List<Event>, CallError> {
        let created = Created { from: Some(window.from_s), to: Some(window.until_s) };
        match question {
            Question::Undelivered => self.client.events(created, true, page).await,
            Question::All => self.client.events_of(created, &FOLLOWED, page).await,
        }
    }

    /// An event that Stripe does not know any more, or that is another account's since the keys were
    /// changed, cannot be gone on from: the question begins anew.
    async fn give_up(
        &self,
        question: Question,
        page: &Page,
        error: CallError,
    ) -> Result<Asked, Failure> {
        if matches!(error, CallError::Refused(_)) && page.starting_after.is_some() {
            self.forget(question).await?;
        }
        Err(error.into())
    }

    /// Only what is about a payment of ours, and did not come: the account may serve others, too.
    async fn take(&self, event: &Event) -> Result<(), Failure> {
        let Self { core, tenant, mode, .. } = self;
        if replay::is_known(core, tenant, &event.id).await?
            || replay::payment_of(core, tenant, event).await?.is_none()
        {
            return Ok(());
        }
        tracing::info!(%tenant, event = event.id, kind = %event.kind, "an event that no delivery brought");
        Ok(replay::bring(core, tenant, *mode, event).await?)
    }

    async fn unfinished(&self, question: Question) -> Result<Option<(Window, String)>, StoreError> {
        let sql = query(
            "SELECT from_unix_s, until_unix_s, after_id FROM event_questions WHERE tenant = ? AND \
             code = ? AND mode = ? AND question = ?",
        );
        let sql = sql.bind(self.tenant.as_str()).bind(self.code.as_str());
        let sql = sql.bind(self.mode.as_str()).bind(question.as_str());
        let Some(row) = sql.fetch_optional(&self.core.store.reads).await? else { return Ok(None) };
        let window = Window {
            from_s: rows::number(&row, "from_unix_s")?,
            until_s: rows::number(&row, "until_unix_s")?,
        };
        Ok(Some((window, rows::text(&row, "after_id")?)))
    }

    async fn keep(
        &self,
        question: Question,
        window: Window,
        after: String,
    ) -> Result<(), StoreError> {
        let (tenant, code, mode) = (self.tenant.clone(), self.code.clone(), self.mode);
        let write = self.core.store.writer.run(move |tx| {
            Box::pin(async move {
                let sql = query(
                    "INSERT INTO event_questions (tenant, code, mode, question, from_unix_s, \
                     until_unix_s, after_id) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, code, \
                     mode, question) DO UPDATE SET from_unix_s = excluded.from_unix_s, \
                     until_unix_s = excluded.until_unix_s, after_id = excluded.after_id",
                );
                let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
                let sql = sql.bind(question.as_str()).bind(window.from_s).bind(window.until_s);
                sql.bind(after).execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await
    }

    async fn forget(&self, question: Question) -> Result<(), StoreError> {
        if self.unfinished(question).await?.is_none() {
            return Ok(());
        }
        let (tenant, code, mode) = (self.tenant.clone(), self.code.clone(), self.mode);
        let write = self.core.store.writer.run(move |tx: &mut WriteTx| {
            Box::pin(async move {
                let sql = query(
                    "DELETE FROM event_questions WHERE tenant = ? AND code = ? AND mode = ? AND \
                     question = ?",
                );
                let sql = sql.bind(tenant.as_str()).bind(code.as_str()).bind(mode.as_str());
                sql.bind(question.as_str()).execute(&mut tx.connection).await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await
    }
}
