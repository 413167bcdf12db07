//! Copies of waiting orders that only the gateway can read, beside the sealed records.
//!
//! Should the system lose the key of the vault, no record can be read any more, but an order that
//! was held for must not be lost. So each order that waits is also kept sealed to the gateway's
//! public key, with nothing but its addressee in the clear. An administrator brings the exported
//! file to the gateway.

use crate::engine::Record;
use data_encoding::BASE64URL_NOPAD;
use holdfast_domain::{DeviceId, GatewayId, TenantSlug};
use holdfast_protocol::SignedOrder;
use holdfast_protocol::sealed_copy::{self, CopyPublicKey};
use holdfast_protocol::wire::{CopiesFile, WIRE_VERSION};
use std::collections::BTreeMap;

const FORMAT: u8 = 1;

/// The copy of a waiting order, as it is stored; none if its gateway has no key for copies.
pub(super) fn of(record: &Record) -> Option<Vec<u8>> {
    let Record::Payment(payment) = record else {
        return None;
    };
    let held = payment.held.as_ref()?;
    let order = SignedOrder::parse(&held.order).ok()?;
    let key = CopyPublicKey::from_bytes(held.route.copy_key.as_ref()?).ok()?;
    let (gateway, tenant) = (order.payload().gateway, &order.payload().tenant);
    let sealed = sealed_copy::seal(&key, tenant, held.device, &held.order)
        .inspect_err(|error| log::error!("no copy of {}: {error}", payment.payment))
        .ok()?;
    let slug = tenant.as_str().as_bytes();
    let length = u8::try_from(slug.len()).ok()?;
    let parts: [&[u8]; 6] =
        [&[FORMAT], gateway.as_bytes(), held.device.as_bytes(), &[length], slug, &sealed];
    Some(parts.concat())
}

/// Files of copies, one for each gateway, tenant and handheld that they belong to.
#[derive(Default)]
pub(super) struct Files(BTreeMap<(GatewayId, TenantSlug, DeviceId), Vec<String>>);

impl Files {
    pub(super) fn add(&mut self, stored: &[u8]) {
        match addressed(stored) {
            Some((addressee, copy)) => {
                self.0.entry(addressee).or_default().push(BASE64URL_NOPAD.encode(copy));
            }
            None => log::error!("a copy cannot be read; it is left out"),
        }
    }

    pub(super) fn finish(self) -> Vec<CopiesFile> {
        let file = |((gateway, tenant, device), copies)| CopiesFile {
            version: WIRE_VERSION,
            gateway,
            tenant,
            device,
            copies,
        };
        self.0.into_iter().map(file).collect()
    }
}

type Addressee = (GatewayId, TenantSlug, DeviceId);

fn addressed(stored: &[u8]) -> Option<(Addressee, &[u8])> {
    let (format, rest) = stored.split_first()?;
    let (gateway, rest) = rest.split_first_chunk::<8>()?;
    let (device, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first()?;
    let (slug, copy) = rest.split_at_checked(usize::from(*length))?;
    let tenant = TenantSlug::parse(std::str::from_utf8(slug).ok()?).ok()?;
    let addressee = (GatewayId::from_bytes(*gateway), tenant, DeviceId::from_bytes(*device));
    (*format == FORMAT).then_some((addressee, copy))
}
