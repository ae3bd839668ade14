//! The channel: what comes in by webhooks and by members, and what goes out to who may read.

mod events;
mod hooks;
mod line;
mod own;
mod posting;
mod socket;
mod stream;

use fujie_core::{
    client::{Client, GrantType},
    request::scope::Scope,
    secret::Secret,
    token::at_rest::AtRest,
};
use fujie_store::{
    Integration, IntegrationAdded, IntegrationKind, Member, MemberChanged, NewTopic, Role, TopicCreated,
};

use crate::{
    browser::Page,
    house::{House, Registered, client},
};

/// What the house's integrations are signed with.
pub const SECRET: &str = "It's a Secret to Everybody";

/// An event that its sender named.
pub const NAMED: &str = r#"{"specversion":"1.0","id":"run-7","source":"/ci","type":"dev.example.build","data":7}"#;

/// An application that may ask for the channel, and nothing else of note.
pub fn listener(id: &str) -> Client {
    let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let scope = Scope::parse("openid offline_access channel:read channel:write read_contacts").unwrap();
    Client { name: "Listener".to_owned(), grant_types, scope, ..client(id) }
}

impl House {
    /// A topic of alice's.
    pub async fn topic(&self, name: &str) {
        let new = NewTopic { name: name.to_owned(), title: name.to_owned(), owner: self.alice };
        let created = self.server.store().create_topic(new, self.clock.now()).await.unwrap();
        assert!(matches!(created, TopicCreated::Created(_)), "{created:?}");
    }

    /// Makes a client a member of a topic.
    pub async fn let_in(&self, topic: &str, client: &Registered) {
        let member = Member::Client(client.id.clone());
        let added =
            self.server.store().add_member(topic, member, Role::Member, Some(self.alice), self.clock.now()).await;
        assert_eq!(added.unwrap(), MemberChanged::Changed);
    }

    /// A client with the topic `team`, of which it is a member, and its own token for all of the channel.
    pub async fn team(&self) -> (Registered, String) {
        self.topic("team").await;
        let bot = self.add(listener("bot")).await;
        self.let_in("team", &bot).await;
        let token = self.own_token(&bot, "channel:read channel:write").await;
        (bot, token)
    }

    /// A client's token for itself.
    pub async fn own_token(&self, client: &Registered, scope: &str) -> String {
        let page = self.post("/token", client, &[("grant_type", "client_credentials"), ("scope", scope)]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// An integration of `team`.
    pub async fn integration(&self, id: &str, kind: IntegrationKind, header: &str) {
        let sealed = self.server.seal_secret(AtRest::WebhookSecret, id, &Secret::new(SECRET.to_owned())).unwrap();
        let (id_header, event_header) = match kind {
            IntegrationKind::Github => (Some("X-GitHub-Delivery"), Some("X-GitHub-Event")),
            _ => (Some("X-Delivery"), Some("X-Event")),
        };
        let integration = Integration {
            id: id.to_owned(),
            topic: "team".to_owned(),
            kind,
            label: "repository".to_owned(),
            header: header.to_owned(),
            prefix: String::new(),
            id_header: id_header.map(str::to_owned),
            event_header: event_header.map(str::to_owned),
            sealed_secret: sealed,
            created_by: Some(self.alice),
            hook: None,
            created_at: self.clock.now(),
        };
        assert_eq!(self.server.store().add_integration(integration).await.unwrap(), IntegrationAdded::Added);
    }

    /// Posts to a topic as the holder of `token`.
    pub async fn tell(&self, token: &str, content_type: &str, body: &str) -> Page {
        let request = self.http.post(format!("{}/topics/team/events", self.issuer));
        let request = request.bearer_auth(token).header("content-type", content_type).body(body.to_owned());
        crate::house::read(request).await
    }

    /// A page of the events of `team`.
    pub async fn events(&self, token: &str, query: &str) -> Page {
        let request = self.http.get(format!("{}/topics/team/events{query}", self.issuer));
        crate::house::read(request.bearer_auth(token).header("accept", "application/json")).await
    }
}
