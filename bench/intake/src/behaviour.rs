//! Scripts of faults: what the intake does instead of accepting a request.

use std::collections::VecDeque;

use serde_json::Value;

use crate::Route;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Decoded, checked, stored and answered, as without a script.
    Accept,
    /// This status is answered. From 400 on nothing is stored; the body is checked all the same.
    Status(u16),
    /// The body is read, and no answer ever comes.
    Hang,
    /// The connection is closed after the first piece of the body.
    CloseMidBody,
    /// Stored, but the connection is closed instead of answering: the client cannot know.
    StoreThenClose,
    /// Accepted, but the answer comes this many milliseconds later.
    Delay(u64),
    /// Accepted, but the body is read with a pause of this many milliseconds before each piece.
    Drip(u64),
}

/// A line of the script: an action for some requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Requests it applies to; `None` is every route.
    pub route: Option<Route>,
    /// For how many requests; `None` is until the script changes.
    pub times: Option<u32>,
    /// What happens to them.
    pub action: Action,
}

impl Behaviour {
    /// The action for every request from now on.
    #[must_use]
    pub const fn always(action: Action) -> Self {
        Self { route: None, times: None, action }
    }

    /// The action for the next `times` requests, whatever their route.
    #[must_use]
    pub const fn first(times: u32, action: Action) -> Self {
        Self { route: None, times: Some(times), action }
    }

    /// The same for one route only.
    #[must_use]
    pub const fn on(self, route: Route) -> Self {
        Self { route: Some(route), ..self }
    }

    /// Reads `{"route": "series_v2", "times": 3, "action": "status", "value": 429}`; all but the
    /// action may be left out.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let route = match value.get("route") {
            None | Some(Value::Null) => None,
            Some(name) => {
                let route = name.as_str().and_then(Route::from_name);
                Some(route.ok_or_else(|| format!("route {name} is not known"))?)
            }
        };
        let times = match value.get("times") {
            None | Some(Value::Null) => None,
            Some(times) => {
                let count = times.as_u64().and_then(|times| u32::try_from(times).ok());
                Some(count.ok_or_else(|| format!("times {times} is not a count"))?)
            }
        };
        let number = value.get("value").and_then(Value::as_u64);
        let action = match (value.get("action").and_then(Value::as_str), number) {
            (Some("accept"), _) => Action::Accept,
            (Some("hang"), _) => Action::Hang,
            (Some("close_mid_body"), _) => Action::CloseMidBody,
            (Some("store_then_close"), _) => Action::StoreThenClose,
            (Some("delay"), Some(millis)) => Action::Delay(millis),
            (Some("drip"), Some(millis)) => Action::Drip(millis),
            (Some("status"), Some(status @ 200..=599)) => {
                Action::Status(u16::try_from(status).map_err(|error| error.to_string())?)
            }
            (Some("status"), _) => return Err("status needs a value from 200 to 599".to_owned()),
            (Some("delay" | "drip"), None) => return Err("value needs milliseconds".to_owned()),
            (Some(action), _) => return Err(format!("action {action:?} is not known")),
            (None, _) => return Err("action is missing".to_owned()),
        };
        Ok(Self { route, times, action })
    }
}

/// The lines that still apply, in order; the first that fits a request decides.
#[derive(Debug, Default)]
pub(crate) struct Script {
    lines: VecDeque<Behaviour>,
}

impl Script {
    pub(crate) fn replace(&mut self, lines: Vec<Behaviour>) {
        self.lines = lines.into();
    }

    /// The action for a request, using up one of its times.
    pub(crate) fn next(&mut self, route: Route) -> Action {
        self.lines.retain(|line| line.times != Some(0));
        let fits = |line: &&mut Behaviour| line.route.is_none_or(|wanted| wanted == route);
        let Some(line) = self.lines.iter_mut().find(fits) else { return Action::Accept };
        if let Some(times) = &mut line.times {
            *times -= 1;
        }
        line.action
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Action, Behaviour, Script};
    use crate::Route;

    #[test]
    fn lines_are_used_up_in_order() {
        let mut script = Script::default();
        script.replace(vec![
            Behaviour::first(1, Action::Status(500)).on(Route::SeriesV2),
            Behaviour::first(2, Action::Status(429)),
        ]);
        let routes = [Route::CheckRun, Route::SeriesV2, Route::SeriesV2, Route::SeriesV2];
        let actions = routes.map(|route| script.next(route));
        let expected =
            [Action::Status(429), Action::Status(500), Action::Status(429), Action::Accept];
        assert_eq!(actions, expected);
    }

    #[test]
    fn a_script_can_be_read_from_json() {
        let line = json!({"route": "series_v2", "times": 3, "action": "status", "value": 429});
        let expected = Behaviour::first(3, Action::Status(429)).on(Route::SeriesV2);
        assert_eq!(Behaviour::from_json(&line), Ok(expected));
        assert_eq!(
            Behaviour::from_json(&json!({"action": "hang"})),
            Ok(Behaviour::always(Action::Hang))
        );
        for wrong in [
            json!({}),
            json!({"action": "fly"}),
            json!({"action": "status"}),
            json!({"action": "status", "value": 99}),
            json!({"action": "hang", "route": "nowhere"}),
            json!({"action": "hang", "times": -1}),
        ] {
            assert!(Behaviour::from_json(&wrong).is_err(), "{wrong}");
        }
    }
}
