//! How the verbs of the channel end.

use fujie_core::id::Id;

use crate::record::Topic;

/// How [`crate::Store::create_topic`] ended. Only the first wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicCreated {
    /// The topic.
    Created(Topic),
    /// There is a topic of this name.
    Taken,
    /// The account has made [`crate::TOPICS_PER_ACCOUNT_MAX`] that stand.
    TooMany,
    /// No such account, or it is disabled.
    AccountGone,
}

/// How a change of a topic's members ended. Only the first wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChanged {
    /// As asked.
    Changed,
    /// It was so already.
    Unchanged,
    /// No such topic, account or client; or it is not a member.
    Absent,
    /// The topic would be left without an owner.
    LastOwner,
    /// The topic has [`crate::MEMBERS_PER_TOPIC_MAX`] members.
    TooMany,
}

/// How [`crate::Store::add_integration`] ended. Only the first wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationAdded {
    /// It takes deliveries.
    Added,
    /// No such topic.
    UnknownTopic,
    /// The topic has [`crate::INTEGRATIONS_PER_TOPIC_MAX`].
    TooMany,
}

/// How a change of one integration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationChanged {
    /// As asked.
    Changed,
    /// No such integration.
    Absent,
}

/// How [`crate::Store::receive`] ended. Only the first wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Now, for the first time: it is on disk with its event.
    Received {
        /// The event.
        event_id: i64,
    },
    /// It came before.
    Duplicate {
        /// The event it became then.
        event_id: i64,
    },
    /// No such integration, or it belongs to another topic.
    UnknownIntegration,
    /// The topic keeps as much as it may, or all topics together do. Nothing was written.
    Full,
}

/// How [`crate::Store::append_event`] or [`crate::Store::append_event_once`] ended. Only the first wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on disk.
    Appended {
        /// The event.
        event_id: i64,
    },
    /// The member posted it before, by the same name.
    Duplicate {
        /// The event it became then.
        event_id: i64,
    },
    /// No such topic.
    UnknownTopic,
    /// The topic keeps as much as it may, or all topics together do, until older events are swept.
    Full,
}

/// How [`crate::Store::add_target`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetAdded {
    /// It gets what happens from now on.
    Added,
    /// The topic has this address already: that target got the new label, account and keys, and is tried again.
    Renewed(Id),
    /// No such topic, or the account is not a member of it. Nothing was written.
    NotMember,
    /// As many as are allowed are there. Nothing was written.
    TooMany,
}

/// How a change of one target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetChanged {
    /// As asked.
    Changed,
    /// It was removed, or disabled.
    Gone,
}
