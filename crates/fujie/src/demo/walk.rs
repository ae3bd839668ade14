//! What one browser's visit made the application send and receive, in order, with secrets cut short.
//!
//! A value that is secret is masked when it is written down, so that no drawing, list or template can show it whole.
//! Deliberately not here: how it is drawn, and what the words are.

use fujie_core::time::Timestamp;

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The person and the browser.
    You,
    /// The application.
    Friends,
    /// The authorization server.
    Fujie,
    /// Where the person may prove who they are. The application never sees it.
    Wechat,
    /// The resource server.
    Contacts,
}

impl Party {
    /// All, from left to right.
    pub const ALL: [Self; 5] = [Self::You, Self::Friends, Self::Fujie, Self::Wechat, Self::Contacts];

    /// Its key among the words.
    pub const fn key(self) -> &'static str {
        match self {
            Self::You => "party_you",
            Self::Friends => "party_friends",
            Self::Fujie => "party_fujie",
            Self::Wechat => "party_wechat",
            Self::Contacts => "party_contacts",
        }
    }
}

/// What a message means, in one sentence among the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The button was pressed.
    PressSignIn,
    /// Discovery is asked.
    AskMetadata,
    /// Discovery answers.
    Metadata,
    /// The browser is sent to the authorization endpoint.
    GoToFujie,
    /// Sign-in and consent, unseen by us.
    Consented,
    /// The same, when it ended in an error.
    NotConsented,
    /// The browser is back with a code.
    BackWithCode,
    /// The browser is back with an error.
    BackWithError,
    /// The response did not come from the issuer we asked.
    MixedUp,
    /// The code is sent to the token endpoint.
    RedeemCode,
    /// Tokens arrive.
    TokensIssued,
    /// The keys are asked for.
    AskKeys,
    /// The keys arrive.
    Keys,
    /// The ID token is as it should be.
    IdTokenChecked,
    /// The ID token is not.
    IdTokenRefused,
    /// Userinfo is asked.
    AskUserinfo,
    /// Userinfo answers.
    Userinfo,
    /// The contacts API is called.
    CallContacts,
    /// It answers.
    Contacts,
    /// The token was made to look old.
    TokenAged,
    /// No old token could be had.
    TokenNotAged,
    /// The refresh token is sent.
    Refresh,
    /// A new access token arrives.
    Refreshed,
    /// The grant is ended.
    Revoke,
    /// It is.
    Revoked,
    /// The other side refused.
    Refused,
    /// The other side did not answer, or not with what the standards say.
    NoAnswer,
}

impl Label {
    /// Its key among the words.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PressSignIn => "press_sign_in",
            Self::AskMetadata => "ask_metadata",
            Self::Metadata => "metadata",
            Self::GoToFujie => "go_to_fujie",
            Self::Consented => "consented",
            Self::NotConsented => "not_consented",
            Self::BackWithCode => "back_with_code",
            Self::BackWithError => "back_with_error",
            Self::MixedUp => "mixed_up",
            Self::RedeemCode => "redeem_code",
            Self::TokensIssued => "tokens_issued",
            Self::AskKeys => "ask_keys",
            Self::Keys => "keys",
            Self::IdTokenChecked => "id_token_checked",
            Self::IdTokenRefused => "id_token_refused",
            Self::AskUserinfo => "ask_userinfo",
            Self::Userinfo => "userinfo",
            Self::CallContacts => "call_contacts",
            Self::Contacts => "contacts",
            Self::TokenAged => "token_aged",
            Self::TokenNotAged => "token_not_aged",
            Self::Refresh => "refresh",
            Self::Refreshed => "refreshed",
            Self::Revoke => "revoke",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// How a message is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Somebody asks: a solid arrow.
    Request,
    /// Somebody answers: a broken arrow.
    Answer,
    /// Something happens without a message that we see: a box.
    Note,
}

/// One parameter of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its value, masked when it is secret.
    pub value: String,
}

impl Field {
    /// A value that anybody may see. What is longer than [`VALUE_LENGTH_MAX`] characters is cut.
    pub fn plain(name: &'static str, value: &str) -> Self {
        let mut shown: String = value.chars().take(VALUE_LENGTH_MAX).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { name, value: shown }
    }

    /// A value that nobody may see whole.
    pub fn secret(name: &'static str, value: &str) -> Self {
        Self { name, value: mask(value) }
    }
}

/// The first six characters of a secret, enough to recognise its kind; nothing of one that is short enough for six
/// characters to matter.
pub fn mask(secret: &str) -> String {
    if secret.chars().count() < MASKED_LENGTH_MIN {
        return "…".to_owned();
    }
    secret.chars().take(6).chain(['…']).collect()
}

/// One arrow or note.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whose it is; for a note, its left edge.
    pub from: Party,
    /// Whom it is for; for a note, its right edge.
    pub to: Party,
    /// How it is drawn.
    pub shape: Shape,
    /// Which of the eight steps it is.
    pub step: Option<u8>,
    /// What it means.
    pub label: Label,
    /// Its first line on the wire: `POST /token`, `200 OK`. Empty for a note.
    pub head: String,
    /// Its parameters.
    pub fields: Vec<Field>,
    /// It is bad news.
    pub is_error: bool,
    /// Milliseconds since its act began.
    pub at_millis: i64,
}

impl Message {
    /// From one party to another; neither step nor fields nor bad news yet.
    pub fn new(shape: Shape, from: Party, to: Party, label: Label) -> Self {
        let head = String::new();
        Self { from, to, shape, step: None, label, head, fields: Vec::new(), is_error: false, at_millis: 0 }
    }

    /// A note over one party or several.
    pub fn note(from: Party, to: Party, label: Label) -> Self {
        Self::new(Shape::Note, from, to, label)
    }

    /// With its first line on the wire.
    pub fn head(self, head: String) -> Self {
        Self { head, ..self }
    }

    /// With a number of the eight.
    pub fn step(self, step: impl Into<Option<u8>>) -> Self {
        Self { step: step.into(), ..self }
    }

    /// With parameters.
    pub fn fields(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }

    /// As bad news.
    pub fn error(self) -> Self {
        Self { is_error: true, ..self }
    }
}

/// What a button set in motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Sign in.
    SignIn,
    /// Call the contacts API.
    Call,
    /// Call it with an expired token.
    Expired,
    /// Refresh, and call.
    Refresh,
    /// Revoke, and call.
    Revoke,
}

impl Button {
    /// Its key among the words.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SignIn => "act_sign_in",
            Self::Call => "act_call",
            Self::Expired => "act_expired",
            Self::Refresh => "act_refresh",
            Self::Revoke => "act_revoke",
        }
    }
}

/// All messages that one press of a button led to.
#[derive(Clone, Debug)]
pub struct Act {
    /// The button.
    pub button: Button,
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    began_at: Timestamp,
    number: u32,
}

impl Act {
    /// Its name as an anchor on the page.
    pub fn anchor(&self) -> String {
        format!("act-{}", self.number)
    }
}

/// The acts of a visit: the sign-in, and the latest [`LATER_ACTS_MAX`] after it.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    acts: Vec<Act>,
    begun: u32,
}

impl Walk {
    /// Begins an act. A sign-in begins the walk anew.
    pub fn begin(&mut self, button: Button, now: Timestamp) {
        if button == Button::SignIn {
            self.acts.clear();
        } else if self.acts.len() > LATER_ACTS_MAX {
            self.acts.remove(1);
        }
        self.begun = self.begun.saturating_add(1);
        self.acts.push(Act { button, messages: Vec::new(), began_at: now, number: self.begun });
    }

    /// Writes `message` down in the current act.
    pub fn record(&mut self, message: Message, now: Timestamp) {
        if let Some(act) = self.acts.last_mut()
            && act.messages.len() < MESSAGES_MAX
        {
            act.messages.push(Message { at_millis: now.millis_since(act.began_at).max(0), ..message });
        }
    }

    /// The acts, oldest first.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Has a message with this number passed, and was it good news?
    pub fn has_done(&self, step: u8) -> bool {
        self.acts.iter().flat_map(|act| &act.messages).any(|message| message.step == Some(step) && !message.is_error)
    }
}

/// A plain value is shown up to this many characters.
const VALUE_LENGTH_MAX: usize = 160;

/// Shorter secrets are not shown at all.
const MASKED_LENGTH_MIN: usize = 18;

/// More presses of buttons than this are forgotten, oldest first.
const LATER_ACTS_MAX: usize = 6;

/// No act has more messages.
const MESSAGES_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_written_down_whole() {
        assert_eq!(mask("fj_rt_0123456789abcdef"), "fj_rt_…");
        assert_eq!(mask("秘密秘密秘密秘密秘密秘密秘密秘密秘密"), "秘密秘密秘密…");
        for short in ["", "abc", "abcdef", "12345678901234567"] {
            assert_eq!(mask(short), "…", "{short}");
        }
        assert_eq!(Field::secret("code", "fj_ac_0123456789abcdef").value, "fj_ac_…");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let shown = Field::plain("error_description", &"字".repeat(500)).value;
        assert_eq!(shown.chars().count(), VALUE_LENGTH_MAX + 1);
        assert_eq!(Field::plain("scope", "openid profile").value, "openid profile");
    }

    #[test]
    fn a_walk_keeps_its_sign_in_and_forgets_the_oldest_press() {
        let at = Timestamp::from_seconds;
        let mut walk = Walk::default();
        walk.record(Message::note(Party::You, Party::You, Label::PressSignIn), at(0));
        assert!(walk.acts().is_empty(), "nothing is written down before a button is pressed");
        walk.begin(Button::SignIn, at(0));
        walk.record(Message::note(Party::You, Party::You, Label::PressSignIn).step(1), at(2));
        (0..20).for_each(|number| walk.begin(Button::Call, at(number)));
        assert_eq!(walk.acts().len(), 1 + LATER_ACTS_MAX);
        assert_eq!(walk.acts()[0].messages[0].at_millis, 2000);
        assert_eq!(walk.acts().last().unwrap().anchor(), "act-21");
        assert!(walk.has_done(1) && !walk.has_done(2));
        walk.begin(Button::SignIn, at(30));
        assert_eq!(walk.acts().len(), 1);
        assert!(!walk.has_done(1));
    }
}
