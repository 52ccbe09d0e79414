//! One place for each route: its handler, and what the `OpenAPI` document says of it.
//!
//! Owns: building the router and the document side by side, so that neither can have a route that
//! the other has not. Must not: know any route.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post, put};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::App;
use super::problem::Problem;

/// Routes and their document.
pub struct Routes {
    router: Router<App>,
    paths: Map<String, Value>,
    schemas: SchemaGenerator,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        Self { router: Router::new(), paths: Map::new(), schemas: settings.into_generator() }
    }

    /// A route that reads.
    pub fn get<R: JsonSchema, T: 'static>(self, path: &str, summary: &str, handler: impl Handler<T, App>) -> Self {
        self.add::<(), R>("get", path, summary, get(handler))
    }

    /// A route that does something. `B` is what the request brings; `()` when nothing.
    pub fn post<B: JsonSchema, R: JsonSchema, T: 'static>(
        self,
        path: &str,
        summary: &str,
        handler: impl Handler<T, App>,
    ) -> Self {
        self.add::<B, R>("post", path, summary, post(handler))
    }

    /// A route that replaces something.
    pub fn put<B: JsonSchema, R: JsonSchema, T: 'static>(
        self,
        path: &str,
        summary: &str,
        handler: impl Handler<T, App>,
    ) -> Self {
        self.add::<B, R>("put", path, summary, put(handler))
    }

    /// A WebSocket. `T` is what a page sends, `S` what the server does; `OpenAPI` has no words of its own for that.
    pub fn socket<T: JsonSchema, S: JsonSchema, A: 'static>(
        self,
        path: &str,
        summary: &str,
        handler: impl Handler<A, App>,
    ) -> Self {
        let mut routes = self.add::<(), S>("get", path, summary, get(handler));
        let takes = routes.schemas.subschema_for::<T>();
        let operation = &mut routes.paths[path]["get"];
        let messages = operation["responses"]["200"].take();
        operation["responses"]["101"] = json!({"description": "a WebSocket"});
        operation["responses"].as_object_mut().map(|responses| responses.remove("200"));
        operation["x-websocket"] = json!({
            "takes": {"application/json": {"schema": takes}},
            "sends": messages["content"],
        });
        routes
    }

    fn add<B: JsonSchema, R: JsonSchema>(
        mut self,
        method: &str,
        path: &str,
        summary: &str,
        handler: MethodRouter<App>,
    ) -> Self {
        let mut operation = json!({
            "summary": summary,
            "responses": {
                "200": {"description": "as asked", "content": {"application/json": {"schema": self.schemas.subschema_for::<R>()}}},
                "default": {"description": "why not", "content": {"application/json": {"schema": self.schemas.subschema_for::<Problem>()}}},
            },
        });
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<_> = names
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if B::schema_name() != <()>::schema_name() {
            let schema = self.schemas.subschema_for::<B>();
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        let entry = self.paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        entry[method] = operation;
        self.router = self.router.route(path, handler);
        self
    }

    /// The router, and the document as `OpenAPI` 3.1.
    pub fn finish(mut self) -> (Router<App>, Value) {
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "The grader's API on this machine",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Requests need the session's key, our Host and, where they change something, our Origin. The key is \
                                given for the token behind the # of a printed address.",
            },
            "paths": self.paths,
            "security": [{"key": []}],
            "components": {
                "schemas": self.schemas.take_definitions(true),
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            },
        });
        (self.router, document)
    }
}
