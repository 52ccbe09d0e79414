//! A tab, as a person uses it and looks at it.
//!
//! Owns: going to pages, pressing keys, looking at what is there, screenshots, and what the browser
//! has complained of. Must not: know the course's pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use super::keys::pressed;
use super::wire::Wire;

/// The longest that something on a page may take, a check of a small lesson included.
const LIMIT: Duration = Duration::from_secs(300);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One tab.
pub struct Tab {
    wire: Arc<Wire>,
    session: String,
}

#[allow(clippy::must_use_candidate, reason = "what is done on a page gives an answer that few want")]
impl Tab {
    pub(super) fn open(wire: Arc<Wire>) -> Self {
        let text = |answer: Result<Value, String>, key: &str| {
            answer.unwrap_or_else(|error| panic!("{error}"))[key].as_str().expect("an id").to_owned()
        };
        // A window of its own: what is behind another one counts as hidden, and pages rest there.
        let target = json!({"url": "about:blank", "newWindow": true});
        let target = text(wire.call(None, "Target.createTarget", &target), "targetId");
        let attach = json!({"targetId": target, "flatten": true});
        let session = text(wire.call(None, "Target.attachToTarget", &attach), "sessionId");
        let tab = Self { wire, session };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            tab.call(domain, &json!({}));
        }
        tab.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        tab.size(1200, 900);
        tab
    }

    /// A command of the debugging protocol; it must succeed.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.wire.call(Some(&self.session), method, params).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Goes to an address, and waits until the page is loaded.
    pub fn go(&self, url: &str) {
        let went = self.call("Page.navigate", &json!({"url": url}));
        assert_eq!(went["errorText"], Value::Null, "{url}");
        self.until("document.readyState === 'complete'");
    }

    /// Loads the page again, as with F5.
    pub fn reload(&self) {
        self.eval("window.isOld = true");
        self.call("Page.reload", &json!({}));
        self.until("!window.isOld && document.readyState === 'complete'");
    }

    /// What an expression gives in the page. It may be a promise.
    pub fn eval(&self, expression: &str) -> Value {
        self.tried(expression).unwrap_or_else(|error| panic!("{error}\nin {expression}"))
    }

    /// The same as text.
    pub fn text(&self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is no text: {value}")).to_owned()
    }

    fn tried(&self, expression: &str) -> Result<Value, String> {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.wire.call(Some(&self.session), "Runtime.evaluate", &params)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"].as_str().unwrap_or("thrown").to_owned()),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Waits until an expression is true. A page that is being left has no answer yet.
    pub fn until(&self, expression: &str) {
        let deadline = Instant::now() + LIMIT;
        let mut last = Err("not asked yet".to_owned());
        while last != Ok(Value::Bool(true)) {
            if Instant::now() >= deadline {
                let seen = self.tried(
                    "document.activeElement.outerHTML.slice(0, 300) + '\\n' + document.body.innerText.slice(0, 3000)",
                );
                panic!(
                    "this never came true: {expression}\nlast: {last:?}\ncomplaints: {:#?}\npage: {seen:?}",
                    self.complaints()
                );
            }
            if last != Err("not asked yet".to_owned()) {
                thread::sleep(LOOK_EVERY);
            }
            last = self.tried(&format!("!!({expression})"));
        }
    }

    /// Presses keys one after the other, such as `Tab`, `Shift+Tab`, `Ctrl+s`.
    pub fn press(&self, names: &[&str]) {
        for event in names.iter().flat_map(|name| pressed(name)) {
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Types a text, key by key.
    pub fn write(&self, text: &str) {
        for one in text.chars() {
            match one {
                '\n' => self.press(&["Enter"]),
                ' ' => self.press(&["Space"]),
                other => self.press(&[&other.to_string()]),
            }
        }
    }

    /// Clicks the middle of what a selector finds, with the mouse.
    pub fn click(&self, selector: &str) {
        let found = format!("document.querySelector({})", json!(selector));
        self.until(&format!("{found}?.checkVisibility()"));
        let middle = self.eval(&format!(
            "(() => {{ const node = {found}; node.scrollIntoView({{ block: 'center', behavior: 'instant' }});
             const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &params);
        }
    }

    /// Sets the size of the page, pixels.
    pub fn size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Whether this person wants less to move.
    pub fn reduced_motion(&self, is_wanted: bool) {
        let value = if is_wanted { "reduce" } else { "no-preference" };
        let feature = json!({"name": "prefers-reduced-motion", "value": value});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// Keeps what is seen now as `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        let folder = screenshots();
        fs::create_dir_all(&folder).expect("target/screenshots");
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
        fs::write(folder.join(format!("{name}.png")), bytes).expect("write");
    }

    /// Errors and warnings so far: of scripts, of the content security policy, of what was not loaded.
    pub fn complaints(&self) -> Vec<String> {
        self.wire.events(&self.session).iter().filter_map(complaint).collect()
    }
}

fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(format!("thrown: {}", params["exceptionDetails"])),
        "Runtime.consoleAPICalled" if ["error", "warning", "assert"].contains(&params["type"].as_str()?) => {
            Some(format!("console: {}", params["args"]))
        }
        "Log.entryAdded" if ["error", "warning"].contains(&params["entry"]["level"].as_str()?) => {
            let entry = &params["entry"];
            Some(format!("{}: {} {}", entry["source"], entry["text"], entry["url"]))
        }
        _ => None,
    }
}

fn screenshots() -> PathBuf {
    let program = crate::program();
    program.ancestors().nth(2).unwrap_or(Path::new("target")).join("screenshots")
}
