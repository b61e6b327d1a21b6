//! What each route does. THE TABLE names them all.
//!
//! Rooms: `apps` (definitions), `versions`, `tasks` (what runs), `deployments`, `events` (what happens), `groups`, `queue` (what waits), `info` (the server
//! itself), `route` (which line of the table a request means).
//! Knows: paths, queries, statuses. Never: what an app becomes, storage.

mod apps;
mod deployments;
mod events;
mod groups;
mod info;
mod queue;
mod route;
mod tasks;
#[cfg(test)]
mod tests;
mod versions;

use crate::{
    config::Config,
    core::{Command, Core, Done, Now, path::PathId},
    error::Fault,
    shell::Handle,
    wire::{Query, Read, empty, events::Sent, message, parse},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, Response, StatusCode, header::ALLOW},
};
use bytes::Bytes;
use serde_json::json;
use std::{collections::BTreeMap, net::SocketAddr, pin::Pin, sync::Arc};

type Answered = Pin<Box<dyn Future<Output = Result<Response<Body>, Fault>> + Send>>;
type Handler = fn(Asked) -> Answered;

/// A line of THE TABLE.
struct Line {
    method: &'static str,
    path: &'static str,
    handler: Handler,
}

macro_rules! api {
    ($method:ident $path:literal => $handler:path) => {
        Line {
            method: stringify!($method),
            path: $path,
            handler: |asked| Box::pin($handler(asked)),
        }
    };
}

/// THE TABLE: sorted by path, then by method. `{x}` is one part of a path, `{x+}` one or more.
#[rustfmt::skip]
const TABLE: &[Line] = &[
    api!(GET    "/ping" => info::ping),
    api!(GET    "/v2/apps" => apps::list),
    api!(PATCH  "/v2/apps" => apps::patch_many),
    api!(POST   "/v2/apps" => apps::create),
    api!(PUT    "/v2/apps" => apps::put_many),
    api!(DELETE "/v2/apps/{id+}" => apps::remove),
    api!(GET    "/v2/apps/{id+}" => apps::show),
    api!(PATCH  "/v2/apps/{id+}" => apps::patch),
    api!(PUT    "/v2/apps/{id+}" => apps::put),
    api!(POST   "/v2/apps/{id+}/restart" => apps::restart),
    api!(DELETE "/v2/apps/{id+}/tasks" => tasks::kill_of_app),
    api!(GET    "/v2/apps/{id+}/tasks" => tasks::of_app),
    api!(DELETE "/v2/apps/{id+}/tasks/{task}" => tasks::kill_one),
    api!(GET    "/v2/apps/{id+}/versions" => versions::list),
    api!(GET    "/v2/apps/{id+}/versions/{version}" => versions::show),
    api!(GET    "/v2/deployments" => deployments::list),
    api!(DELETE "/v2/deployments/{id}" => deployments::cancel),
    api!(GET    "/v2/events" => events::watch),
    api!(GET    "/v2/groups" => groups::show),
    api!(POST   "/v2/groups" => groups::create),
    api!(PUT    "/v2/groups" => groups::put),
    api!(DELETE "/v2/groups/{id+}" => groups::remove),
    api!(GET    "/v2/groups/{id+}" => groups::show),
    api!(POST   "/v2/groups/{id+}" => groups::create),
    api!(PUT    "/v2/groups/{id+}" => groups::put),
    api!(GET    "/v2/info" => info::info),
    api!(GET    "/v2/leader" => info::leader),
    api!(GET    "/v2/plugins" => info::plugins),
    api!(GET    "/v2/queue" => queue::list),
    api!(DELETE "/v2/queue/{id+}/delay" => queue::reset_delay),
    api!(GET    "/v2/tasks" => tasks::list),
    api!(POST   "/v2/tasks/delete" => tasks::kill_many),
];

/// What every handler is given beside the request.
pub(crate) struct Context {
    pub(crate) handle: Handle,
    pub(crate) config: Config,
    /// Where the server listens.
    pub(crate) address: SocketAddr,
}

/// A request, cut into its parts.
pub(crate) struct Asked {
    context: Arc<Context>,
    path: String,
    parts: BTreeMap<&'static str, String>,
    query: Query,
    body: Bytes,
    wants_text: bool,
}

impl Asked {
    /// The app that the path names.
    fn app(&self) -> PathId {
        PathId::new(self.part("id"))
    }

    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    fn force(&self) -> bool {
        self.query.is_set("force", false)
    }

    fn parse<T: Read>(&self) -> Result<T, Fault> {
        Ok(parse(&self.body)?)
    }

    /// Looks at what is.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Now) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        self.context.handle.look(look).await.ok_or(Fault::Stopping)
    }

    /// Tells those who watch that somebody changed an app.
    async fn announce(&self, app: serde_json::Value) -> Result<(), Fault> {
        let at = self.look(|_, now| now.wall).await?;
        let shown = json!({ "uri": self.path, "appDefinition": app });
        self.context
            .handle
            .announce(Sent::new("api_post_event", shown, at));
        Ok(())
    }

    /// Changes what is.
    async fn change(&self, command: Command) -> Result<Done, Fault> {
        let done = self.context.handle.change(command).await;
        Ok(done.ok_or(Fault::Stopping)??)
    }
}

/// Every route.
pub(crate) fn routes(context: Arc<Context>) -> Router {
    Router::new().fallback(dispatch).with_state(context)
}

async fn dispatch(State(context): State<Arc<Context>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Some((line, parts)) = route::find(TABLE, head.method.as_str(), path) else {
        return nowhere(&head.method, path);
    };
    let body = match to_bytes(body, context.config.limits.request_bytes_max).await {
        Ok(body) => body,
        Err(_) => return Fault::TooLarge.into_response(),
    };
    let accept = head.headers.get("accept").and_then(|accept| accept.to_str().ok());
    let asked = Asked {
        context,
        path: path.to_owned(),
        parts,
        query: Query::parse(head.uri.query()),
        body,
        wants_text: accept.is_some_and(|accept| accept.starts_with("text/plain")),
    };
    let answered = (line.handler)(asked).await;
    answered.unwrap_or_else(Fault::into_response)
}

/// Nothing is there, or not by this method.
fn nowhere(method: &Method, path: &str) -> Response<Body> {
    let mut methods = route::methods(TABLE, path);
    if methods.is_empty() {
        return message(StatusCode::NOT_FOUND, format!("URI not found: {path}"));
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    let mut response = match *method {
        Method::OPTIONS => empty(StatusCode::OK),
        _ => message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    };
    if let Ok(allowed) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
