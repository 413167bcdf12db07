//! The account that a key belongs to.

use serde::{Deserialize, Serialize};

/// An account: who gets the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `acct_…`
    pub id: String,
    /// What the business calls itself in public.
    #[serde(default)]
    pub business_profile: Option<BusinessProfile>,
    /// Whether live charges can be made.
    #[serde(default)]
    pub charges_enabled: bool,
    /// ISO 3166 country, two letters.
    #[serde(default)]
    pub country: Option<String>,
    /// The currency it settles in by default, lower case.
    #[serde(default)]
    pub default_currency: Option<String>,
    /// Whether its owner has told Stripe all that Stripe asked.
    #[serde(default)]
    pub details_submitted: bool,
    /// Its e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Its settings, as far as they matter here.
    #[serde(default)]
    pub settings: Option<AccountSettings>,
}

impl Account {
    /// The name by which a person recognises the account, if it has one.
    pub fn display_name(&self) -> Option<&str> {
        let dashboard = self.settings.as_ref().and_then(|s| s.dashboard.as_ref());
        let profile = self.business_profile.as_ref();
        dashboard
            .and_then(|d| d.display_name.as_deref())
            .or_else(|| profile.and_then(|p| p.name.as_deref()))
            .filter(|name| !name.is_empty())
    }
}

/// What a business says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessProfile {
    /// Its public name.
    #[serde(default)]
    pub name: Option<String>,
}

/// An account's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSettings {
    /// How Stripe's own Dashboard shows it.
    #[serde(default)]
    pub dashboard: Option<DashboardSettings>,
}

/// How Stripe's Dashboard shows an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardSettings {
    /// The name at the top of the Dashboard.
    #[serde(default)]
    pub display_name: Option<String>,
}
