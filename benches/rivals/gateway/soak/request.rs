//! The requests: what is sent, and what should arrive at the upstream.

use std::{collections::HashSet, time::Duration};

use bytes::{Buf, Bytes};
use highway::{HighwayHash, HighwayHasher, Key};
use serde_json::{Value, json};
use tower_moonshot::MoonshotCompatLayer;

use crate::{
    bodies::{KINDS, Rng},
    candidates::value,
};

/// One of the models in LiteLLM's example, which the gateway serves.
pub(crate) const MODEL: &str = "moonshot-v1-128k";

/// The kinds of bodies with their shares in 100 requests: most are small, as in traffic.
const SHARES: [(&str, usize); 5] = [("b", 60), ("c", 24), ("f", 10), ("d", 5), ("e", 1)];

/// The shares of faults in 1 000 requests, 5 % in all.
const FAULTS: [(Plan, usize); 7] = [
    (Plan::UpstreamError, 10),
    (Plan::ResetBeforeHead, 8),
    (Plan::ResetInBody, 8),
    (Plan::Stall, 8),
    (Plan::LeaveInUpload, 6),
    (Plan::LeaveInAnswer, 6),
    (Plan::BrokenJson, 4),
];

/// How long the upstream waits in the middle of an answer that stalls.
pub(crate) const STALL: Duration = Duration::from_millis(700);

/// What happens to a request. The first letter of its id tells the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Plan {
    Answered,
    UpstreamError,
    ResetBeforeHead,
    ResetInBody,
    Stall,
    LeaveInUpload,
    LeaveInAnswer,
    BrokenJson,
    /// A stream whose events come slowly, each with the time at which it was sent.
    Slow,
}

impl Plan {
    const ALL: [(u8, Self); 9] = [
        (b'a', Self::Answered),
        (b'e', Self::UpstreamError),
        (b'r', Self::ResetBeforeHead),
        (b'b', Self::ResetInBody),
        (b's', Self::Stall),
        (b'u', Self::LeaveInUpload),
        (b'l', Self::LeaveInAnswer),
        (b'j', Self::BrokenJson),
        (b't', Self::Slow),
    ];

    /// The plan of the request with this id.
    pub(crate) fn of(id: &str) -> Self {
        let letter = id.bytes().next();
        let found = Self::ALL.iter().find(|(found, _)| Some(*found) == letter);
        found.map_or(Self::Answered, |(_, plan)| *plan)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::UpstreamError => "error of the upstream",
            Self::ResetBeforeHead => "reset before the answer",
            Self::ResetInBody => "reset in the answer",
            Self::Stall => "stall in the answer",
            Self::LeaveInUpload => "client leaves in the upload",
            Self::LeaveInAnswer => "client leaves in the answer",
            Self::BrokenJson => "broken JSON",
            Self::Slow => "slow stream",
        }
    }

    fn letter(self) -> char {
        let found = Self::ALL.iter().find(|(_, plan)| *plan == self).unwrap();
        char::from(found.0)
    }

    fn choose(mut number: usize) -> Self {
        for (plan, share) in FAULTS {
            if number < share {
                return plan;
            }
            number -= share;
        }
        Self::Answered
    }
}

/// The place of the id in a body: as long as any id, and nowhere else in a body.
const PLACE: &str = "a-000000000000-x";

/// A body with a place for the id of a request.
#[derive(Debug)]
struct Template {
    before: Bytes,
    after: Bytes,
}

impl Template {
    fn new(body: &[u8]) -> Self {
        let at = memchr::memmem::find(body, PLACE.as_bytes()).unwrap();
        Self {
            before: Bytes::copy_from_slice(&body[..at]),
            after: Bytes::copy_from_slice(&body[at + PLACE.len()..]),
        }
    }

    fn with(&self, id: &str) -> Bytes {
        [&self.before, id.as_bytes(), &self.after].concat().into()
    }
}

/// A body as it is sent and as it should arrive.
#[derive(Debug)]
struct Pair {
    sent: Template,
    arrives: Template,
}

/// All bodies of all kinds, streamed and not.
#[derive(Debug)]
pub(crate) struct Requests {
    /// By kind, then whether it is a stream.
    kinds: Vec<[Vec<Pair>; 2]>,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) id: String,
    pub(crate) plan: Plan,
    pub(crate) is_stream: bool,
    pub(crate) body: Bytes,
    /// The digest of the body that should arrive.
    pub(crate) digest: String,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let kinds = SHARES.map(|(name, _)| {
            let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
            [false, true].map(|is_stream| {
                let bodies = [true, false].map(|edited| kind.bodies(edited)).concat();
                bodies.iter().map(|body| pair(body, is_stream)).collect()
            })
        });
        Self {
            kinds: kinds.into(),
        }
    }

    /// Chooses a request, a quarter of them streams. `number` is different for each.
    pub(crate) fn choose(&self, rng: &mut Rng, number: u64) -> Planned {
        let mut share = rng.below(100);
        let kind = SHARES.iter().position(|(_, of)| {
            let is_it = share < *of;
            share = share.wrapping_sub(*of);
            is_it
        });
        let is_stream = rng.below(4) == 0;
        let pairs = &self.kinds[kind.unwrap()][usize::from(is_stream)];
        let pair = &pairs[rng.below(pairs.len())];
        let plan = Plan::choose(rng.below(1000));
        let id = format!("{}-{number:012}-x", plan.letter());
        let mut body = pair.sent.with(&id);
        if plan == Plan::BrokenJson {
            body.truncate(body.len() - 1);
        }
        Planned {
            digest: digest(&pair.arrives.with(&id)),
            body,
            id,
            plan,
            is_stream,
        }
    }
}

fn pair(body: &[u8], is_stream: bool) -> Pair {
    let body = std::str::from_utf8(body).unwrap();
    let mut body = body.replacen("kimi-k3", MODEL, 1);
    if !is_stream {
        body = body.replacen(r#""stream":true"#, r#""stream":false"#, 1);
        // Only allowed in requests for a stream.
        body = body.replacen(r#","stream_options":{"include_usage":true}"#, "", 1);
    }
    let end = body.rfind('}').unwrap();
    body.insert_str(end, &format!(r#","safety_identifier":"{PLACE}""#));
    let sent = Bytes::from(body);
    Pair {
        arrives: Template::new(&rewritten(&sent)),
        sent: Template::new(&sent),
    }
}

/// The body as the layer rewrites it, to the byte. What it means is judged by the
/// reference on `Value`.
fn rewritten(body: &Bytes) -> Vec<u8> {
    let (mut rope, _) = MoonshotCompatLayer::new().rewrite(body.clone());
    let arrives = rope.copy_to_bytes(rope.remaining()).to_vec();
    let mut expected = Value::Null;
    value::rewrite(body, &mut |text| {
        expected = serde_json::from_slice(text).unwrap();
    });
    let is = serde_json::from_slice::<Value>(&arrives).unwrap();
    assert!(is == expected, "the layer and the reference disagree");
    arrives
}

/// A small request for a slow stream.
pub(crate) fn slow(number: usize) -> Bytes {
    let id = format!("{}-{number:012}-x", Plan::Slow.letter());
    format!(
        r#"{{"model":"{MODEL}","stream":true,"messages":[{{"role":"user","content":"Hi"}}],"safety_identifier":"{id}"}}"#
    )
    .into()
}

/// The id in a body, which is the last of its values.
pub(crate) fn id(body: &[u8]) -> Option<&str> {
    const KEY: &[u8] = br#""safety_identifier":""#;
    let at = memchr::memmem::rfind(body, KEY)? + KEY.len();
    std::str::from_utf8(body.get(at..at + PLACE.len())?).ok()
}

/// The digest of a body, in hexadecimal digits.
pub(crate) fn digest(body: &[u8]) -> String {
    let [high, low] = HighwayHasher::new(Key([1, 2, 3, 4])).hash128(body);
    format!("{high:016x}{low:016x}")
}

/// What has arrived at the upstream.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    once: HashSet<String>,
    /// Requests that came twice although nothing failed.
    twice: Vec<String>,
    /// Requests of which nothing should arrive.
    wrong: Vec<String>,
}

impl Seen {
    pub(crate) fn add(&mut self, id: &str) {
        let plan = Plan::of(id);
        let may_be_retried = matches!(
            plan,
            Plan::UpstreamError | Plan::ResetBeforeHead | Plan::ResetInBody
        );
        if !self.once.insert(id.to_owned()) && !may_be_retried {
            self.twice.push(id.to_owned());
        }
        if matches!(plan, Plan::LeaveInUpload | Plan::BrokenJson) {
            self.wrong.push(id.to_owned());
        }
    }

    /// The number of requests, then what is wrong with them.
    pub(crate) fn summary(&self) -> Value {
        json!({"arrived": self.once.len(), "twice": self.twice, "wrong": self.wrong})
    }
}
