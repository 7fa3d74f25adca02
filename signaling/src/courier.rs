//! How events of a call leave: through the hub's sockets, or into a channel where there are none (tools, tests without a network).

use chat::hub::{Caller, Delivery, Hub};
use chat::ids::{DeviceId, UserId};
use chat::wire;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Never waits: an event that cannot be delivered is lost, the client asks again by `attach`.
#[derive(Clone, Debug)]
pub enum Courier {
    Hub(Arc<Hub>),
    Channel(mpsc::UnboundedSender<Letter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Device(UserId, DeviceId),
    AllDevices(UserId),
    OtherDevices(UserId, DeviceId),
    /// Only the socket that asked.
    Asker(Caller),
}

#[derive(Clone, Debug)]
pub struct Letter {
    pub to: Address,
    pub event: wire::Event,
}

impl Courier {
    pub(crate) fn send(&self, to: Address, event: wire::Event) {
        match self {
            Self::Channel(letters) => {
                let _ = letters.send(Letter { to, event }); // nobody reads any more: the process is going down
            }
            Self::Hub(hub) => match to {
                Address::Device(user, device) => hub.send_to_device(user, device, event),
                Address::AllDevices(user) => hub.send_to_user(user, event, Delivery::Normal),
                Address::OtherDevices(user, device) => hub.send_to_other_devices(user, device, event),
                Address::Asker(caller) => {
                    hub.send_to_socket(caller.user, caller.socket, event);
                }
            },
        }
    }

    /// Without sockets everybody counts as present.
    pub(crate) fn is_online(&self, user: UserId) -> bool {
        match self {
            Self::Channel(_) => true,
            Self::Hub(hub) => hub.is_online(user),
        }
    }
}
