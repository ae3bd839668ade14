//! The simulator seen from outside, over real HTTP on loopback: every assertion is about bytes
//! that a browser, a phone or a client would see. Nothing here is mocked.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alipay;
mod answer;
mod api;
mod apple;
mod baidu;
mod clock;
mod control;
mod dingtalk;
mod discord;
mod douyin;
mod fault;
mod feishu;
mod gate;
mod gitee;
mod github_application;
mod github_authorize;
mod github_delivery;
mod github_device;
mod github_hook;
mod github_rest;
mod github_storm;
mod github_story;
mod github_token;
mod gitlab;
mod google;
mod http;
mod microsoft;
mod oauth;
mod oidc_device;
mod oidc_dpop;
mod oidc_flow;
mod oidc_lie;
mod oidc_pushed;
mod oidc_token;
mod page;
mod phone;
mod poll;
mod qq_authorize;
mod qq_me;
mod qq_story;
mod qq_token;
mod story;
mod wechat_embedded;
mod wechat_errors;
mod wechat_in_app;
mod wechat_mini_program;
mod wechat_quirk;
mod wecom;
mod weibo_api;
mod weibo_authorize;
mod weibo_story;
mod weibo_token;
