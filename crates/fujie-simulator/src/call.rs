//! A call as most providers read it: the fields of the query, then those of a form body, and the head.

use crate::fields::Fields;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

/// What came. The query wins over the form.
pub(crate) struct Call {
    pub(crate) fields: Fields,
    pub(crate) head: Parts,
}

impl Call {
    /// `Authorization`, if it is text.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.head.headers.get(header::AUTHORIZATION)?.to_str().ok()
    }

    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let mut fields = Fields::of(request.uri().query().unwrap_or_default().as_bytes());
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
        let is_form = content_type.is_some_and(|value| value.starts_with(b"application/x-www-form-urlencoded"));
        let (head, body) = request.into_parts();
        if is_form {
            let bytes = Bytes::from_request(Request::new(body), state).await;
            fields.append(&bytes.map_err(IntoResponse::into_response)?);
        }
        Ok(Self { fields, head })
    }
}
