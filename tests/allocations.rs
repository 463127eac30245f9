//! Allocations of a rewrite and of a call through the layer, counted and never timed.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

#[path = "../benches/bodies/mod.rs"]
#[allow(dead_code)]
mod bodies;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    fmt::Write,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_moonshot::{
    MoonshotCompatLayer, Region, Report, RequestBody, Rule, Skipped, inline_media::InlineMediaLayer,
};

/// An allocator that counts the allocations of each thread.
struct Counting;

/// The counts of one thread since they were reset.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    allocations: usize,
    /// The total of all requested bytes.
    bytes: usize,
    /// Allocated minus freed bytes, and their maximum. Memory allocated before the reset
    /// may be freed too.
    live: isize,
    peak: isize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const {
        Cell::new(Counts { allocations: 0, bytes: 0, live: 0, peak: 0 })
    };
}

fn count(allocated: usize, freed: usize) {
    let mut counts = COUNTS.get();
    counts.allocations += usize::from(allocated > 0);
    counts.bytes += allocated;
    counts.live += allocated as isize - freed as isize;
    counts.peak = counts.peak.max(counts.live);
    COUNTS.set(counts);
}

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Rewrites a body as hyper reads it: each piece is dropped before the next is made.
fn rewrite(layer: &MoonshotCompatLayer, body: &Bytes) -> Counts {
    COUNTS.set(Counts::default());
    let (rope, report) = layer.rewrite(body.clone());
    let length = rope.len();
    let drained: usize = rope.map(|piece| piece.len()).sum();
    assert_eq!(drained, length);
    drop(report);
    COUNTS.get()
}

/// Rewrites a body for the second time on this thread, as a server usually does.
fn rewrite_again(body: &Bytes) -> Counts {
    let layer = MoonshotCompatLayer::new();
    rewrite(&layer, body);
    rewrite(&layer, body)
}

#[test]
fn nothing_to_change_allocates_nothing() {
    for kind in &bodies::KINDS {
        for body in kind.bodies(false) {
            let counts = rewrite_again(&body);
            assert_eq!(counts.allocations, 0, "{}", kind.what);
        }
    }
}

#[test]
fn an_edit_takes_three_allocations_and_64_kib_at_most_whatever_the_body() {
    for kind in &bodies::KINDS {
        for body in kind.bodies(true) {
            let counts = rewrite_again(&body);
            assert!(
                (1..=3).contains(&counts.allocations),
                "{}: {counts:?}",
                kind.what
            );
            assert!(counts.peak <= 64 * 1024, "{}: {counts:?}", kind.what);
        }
    }
}

/// Creates a chat request. `rest` is appended to its members.
fn chat_with(model: &str, messages: &str, rest: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{messages}]{rest}}}"#)
}

const HI: &str = r#"{"role":"user","content":"Hi"}"#;

const TOOLS: &str = r#""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g"}}]"#;

/// Three rules may take more: `tool_call_id` collects ids, `tool_schema` repairs a tree,
/// and `tools` compares tools with the same name. The minimum of completion tokens, which
/// is off by default, writes a number.
#[test]
fn an_edit_takes_at_most_three_allocations_except_for_three_rules() {
    let assistant = |rest: &str| format!(r#"{{"role":"assistant","tool_calls":[{{}}]{rest}}}"#);
    let tools = |choice: &str| format!(r#",{TOOLS},"tool_choice":{choice}"#);
    let named = r#"{"type":"function","function":{"name":"f"}}"#;
    let cases = [
        (Rule::Model, chat_with("moonshot/kimi-k3", HI, "")),
        (
            Rule::Thinking,
            chat_with("kimi-k3", HI, r#","thinking":true"#),
        ),
        (
            Rule::Thinking,
            chat_with(
                "kimi-k2.5",
                HI,
                r#","thinking":{"type":"enabled","keep":"all"}"#,
            ),
        ),
        (
            Rule::Thinking,
            chat_with("kimi-k2.7", HI, r#","thinking":{"type":"disabled"}"#),
        ),
        (
            Rule::ReasoningEffort,
            chat_with("kimi-k3", HI, r#","reasoning_effort":{"effort":"medium"}"#),
        ),
        (
            Rule::ReasoningEffort,
            chat_with(
                "kimi-k2.6",
                HI,
                r#","reasoning_effort":{"effort":"medium"}"#,
            ),
        ),
        (
            Rule::ReasoningEffort,
            chat_with("kimi-k2.6", HI, r#","reasoning_effort":"none""#),
        ),
        (
            Rule::ToolChoice,
            chat_with("kimi-k2.6", HI, &tools("\"required\"")),
        ),
        (Rule::ToolChoice, chat_with("kimi-k3", HI, &tools(named))),
        (Rule::ToolChoice, chat_with("kimi-k2.7", HI, &tools(named))),
        (
            Rule::Tools,
            chat_with(
                "kimi-k3",
                HI,
                r#","tools":[{"function":{"name":"f","parameters":null}}]"#,
            ),
        ),
        (
            Rule::Tools,
            chat_with(
                "kimi-k3",
                HI,
                r#","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]"#,
            ),
        ),
        (
            Rule::ResponseFormat,
            chat_with(
                "kimi-k3",
                HI,
                r#","response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}"#,
            ),
        ),
        (
            Rule::Temperature,
            chat_with("moonshot-v1-8k", HI, r#","temperature":2"#),
        ),
        (
            Rule::Temperature,
            chat_with("moonshot-v1-8k", HI, r#","n":2"#),
        ),
        (
            Rule::Sampling,
            chat_with("kimi-k3", HI, r#","temperature":2,"top_p":1,"n":3"#),
        ),
        (
            Rule::Role,
            chat_with("kimi-k3", &message("developer", "\"Hi\""), ""),
        ),
        (
            Rule::Content,
            chat_with(
                "kimi-k3",
                &message(
                    "user",
                    r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#,
                ),
                "",
            ),
        ),
        (
            Rule::EmptyContent,
            chat_with("kimi-k3", r#"{"role":"assistant"}"#, ""),
        ),
        (
            Rule::EmptyContent,
            chat_with(
                "kimi-k3",
                &message("user", r#"[{"type":"text","text":""},{"type":"file"}]"#),
                "",
            ),
        ),
        (
            Rule::ReasoningContent,
            chat_with("kimi-k3", &assistant(""), ""),
        ),
        (
            Rule::ReasoningContent,
            chat_with("kimi-k3", &assistant(r#","reasoning":"so""#), ""),
        ),
    ];
    for &rule in Rule::ALL {
        let is_counted = !matches!(
            rule,
            Rule::ToolCallId | Rule::ToolSchema | Rule::MinCompletionTokens
        );
        assert_eq!(
            cases.iter().any(|case| case.0 == rule),
            is_counted,
            "{rule}"
        );
    }
    for (rule, body) in cases {
        let body = Bytes::from(body);
        let (_, report) = MoonshotCompatLayer::new().rewrite(body.clone());
        assert!(
            report.changes().iter().all(|change| change.rule() == rule),
            "{report}"
        );
        let counts = rewrite_again(&body);
        assert!(
            (1..=3).contains(&counts.allocations),
            "{report}: {counts:?}"
        );
    }
}

/// The reasoning that is moved may be as long as the body.
#[test]
fn reasoning_that_is_moved_is_not_copied() {
    let reasoning = "so ".repeat(1 << 20);
    for fields in [
        format!(r#""reasoning":"{reasoning}""#),
        format!(r#""provider_specific_fields":{{"reasoning_content":"{reasoning}"}}"#),
        format!(
            r#""reasoning_content":null,"provider_specific_fields":{{"reasoning_content":"{reasoning}"}}"#
        ),
    ] {
        let message = format!(r#"{{"role":"assistant","tool_calls":[{{}}],{fields}}}"#);
        let counts = rewrite_again(&Bytes::from(chat_with("kimi-k3", &message, "")));
        assert!(counts.peak <= 64 * 1024, "{counts:?}");
    }
}

/// A tool with these parameters, once or as often as it takes to get to a length.
fn with_tools(parameters: &str, length: usize) -> String {
    let tool = format!(r#"{{"function":{{"name":"f","parameters":{parameters}}}}}"#);
    let tools = vec![&*tool; length / tool.len() + 1].join(",");
    chat_with("kimi-k3", HI, &format!(r#","tools":[{tools}]"#))
}

/// Bodies of many minimal elements, and of schemas that make a repair large, which only an
/// attacker sends.
fn greedy_bodies(length: usize) -> Vec<String> {
    let many = |thing: &str| vec![thing; length / thing.len() + 1].join(",");
    let named = r#"{"type":"function","function":{"name":"f"}}"#;
    // Moonshot reads no longer schema.
    let properties = |property: &dyn Fn(usize) -> String| {
        let mut list = String::new();
        for index in 0.. {
            list.push_str(&property(index));
            if list.len() > length.min(110_000) {
                break;
            }
            list.push(',');
        }
        format!(r#"{{"properties":{{{list}}}}}"#)
    };
    let schemas = [
        "{}".to_owned(),
        r#"{"type":"object","properties":{"a":true}}"#.to_owned(),
        properties(&|index| format!(r#""{index:x}":1"#)),
        properties(&|index| format!(r##""{index:x}":{{"$ref":"#"}}"##)),
        properties(&|index| format!(r#""{index:x}":{{"type":"string","anyOf":[{{}},{{}}]}}"#)),
        properties(&|index| {
            format!(r#""{index:x}":{{"type":["string","null","object"],"default":1}}"#)
        }),
        properties(&|index| {
            let next = index + 1;
            format!(
                r##""{index}":{{"properties":{{"l":{{"$ref":"#/properties/{next}"}},"r":{{"$ref":"#/properties/{next}"}}}}}}"##
            )
        }),
        format!(
            r#"{{"properties":{{"a":true}},"examples":[{}]}}"#,
            vec!["1"; length.min(100_000) / 2].join(",")
        ),
        format!(
            r#"{{"properties":{{"a":{{"items":[{}]}}}}}}"#,
            vec!["{}"; length.min(100_000) / 3].join(",")
        ),
        format!(
            r#"{{"properties":{{"{}":{}}}}}"#,
            "x".repeat(length.min(60_000)),
            properties(&|index| format!(r#""{index}":true"#)),
        ),
        format!(r#"{{"type":"object","required":[{}]}}"#, many("\"\"")),
    ];
    let mut bodies = vec![
        chat_with("kimi-k3", &many("0"), ""),
        chat_with("kimi-k3", &many("{}"), ""),
        chat_with("kimi-k3", &many(r#"{"role":"user"}"#), ""),
        chat_with("kimi-k3", &many(r#"{"role":"assistant"}"#), ""),
        // Both its content and its reasoning are missed here.
        chat_with("kimi-k2.7", &many(r#"{"role":"assistant"}"#), ""),
        chat_with("kimi-k3", &message("user", &format!("[{}]", many("0"))), ""),
        chat_with("kimi-k3", HI, &format!(r#","tools":[{}]"#, many("0"))),
        chat_with(
            "kimi-k3",
            HI,
            &format!(r#","tools":[{named},{}],"tool_choice":{named}"#, many("0")),
        ),
        chat_with("kimi-k3", HI, &format!(",{}", many(r#""n":2"#))),
        chat_with(
            "moonshot-v1-8k",
            &format!(
                r#"{{"role":"assistant","tool_calls":[{}]}}"#,
                many(r#"{"id":""}"#)
            ),
            "",
        ),
        chat_with(
            "moonshot-v1-8k",
            &many(
                r#"{"role":"assistant","tool_calls":[{"id":"a"}]},{"role":"tool","tool_call_id":"a"}"#,
            ),
            "",
        ),
        chat_with(
            "kimi-k3",
            HI,
            &format!(r#","tools":[{}]"#, many(r#"{"function":{"name":""}}"#)),
        ),
        chat_with(
            "kimi-k3",
            &format!(
                r#"{{"role":"system","tools":[{}]}}"#,
                many(r#"{"type":"function","name":"","parameters":null}"#)
            ),
            "",
        ),
    ];
    bodies.extend(schemas.iter().map(|schema| with_tools(schema, length)));
    bodies
}

#[test]
fn no_body_takes_more_than_40_times_its_length_and_a_megabyte() {
    // Not only right behind where a list has grown.
    for length in [100_000, 300_000] {
        for body in greedy_bodies(length) {
            let counts = rewrite_again(&Bytes::from(body.clone()));
            let most = 40 * body.len() as isize + 1_000_000;
            let begin: String = body.chars().take(200).collect();
            assert!(counts.peak <= most, "{} {begin}: {counts:?}", body.len());
        }
    }
}

#[test]
fn one_greedy_body_does_not_cost_its_thread_memory_for_ever() {
    for body in greedy_bodies(300_000) {
        let begin: String = body.chars().take(200).collect();
        std::thread::spawn(move || {
            let layer = MoonshotCompatLayer::new();
            let body = Bytes::from(body);
            let small = Bytes::from(chat_with("kimi-k3", HI, ""));
            COUNTS.set(Counts::default());
            drop(layer.rewrite(body.clone()));
            drop(layer.rewrite(small));
            let live = COUNTS.get().live;
            assert!(live <= 256 * 1024, "{begin}: {live}");
        })
        .join()
        .unwrap();
    }
}

/// The model accepts this choice.
#[test]
fn an_unchanged_named_choice_allocates_nothing() {
    let choice = r#","tool_choice":{"type":"function","function":{"name":"f"}}"#;
    let body = chat_with("moonshot-v1-8k", HI, &format!(",{TOOLS}{choice}"));
    assert_eq!(rewrite_again(&Bytes::from(body)).allocations, 0);
}

/// Creates a request with a temperature that the model refuses, and with many messages
/// and tools.
fn many(messages: impl Iterator<Item = String>, tools: usize) -> Bytes {
    let mut body = String::from(r#"{"model":"kimi-k3","temperature":0.5,"messages":["#);
    for (index, message) in messages.enumerate() {
        body.push_str(if index > 0 { "," } else { "" });
        body.push_str(&message);
    }
    body.push_str(r#"],"tools":["#);
    for index in 0..tools {
        body.push_str(if index > 0 { "," } else { "" });
        write!(
            body,
            r#"{{"type":"function","function":{{"name":"tool_{index}","parameters":{{"type":"object"}}}}}}"#
        )
        .unwrap();
    }
    Bytes::from(body + "]}")
}

fn message(role: &str, content: &str) -> String {
    format!(r#"{{"role":"{role}","content":{content}}}"#)
}

/// Checks that ten times as many elements take about ten times the memory. Both numbers
/// exceed the capacity that is kept between requests.
fn is_linear(what: &str, body: impl Fn(usize) -> Bytes) {
    is_linear_from(5_000, what, body);
}

fn is_linear_from(few: usize, what: &str, body: impl Fn(usize) -> Bytes) {
    let [few, many] = [few, 10 * few].map(|count| rewrite_again(&body(count)));
    assert!(
        many.bytes <= 20 * few.bytes.max(10_000)
            && many.allocations <= 12 * few.allocations.max(10),
        "{what}: {few:?}, then {many:?}"
    );
}

#[test]
fn memory_grows_linearly_with_the_number_of_elements() {
    is_linear("messages", |count| {
        many((0..count).map(|_| message("user", "\"Hi\"")), 1)
    });
    is_linear("edited messages", |count| {
        many((0..count).map(|_| message("developer", "\"Hi\"")), 1)
    });
    is_linear("parts", |count| {
        let parts = vec![r#"{"type":"text","text":"Hi"}"#; 2 * count].join(",");
        many(std::iter::once(message("user", &format!("[{parts}]"))), 1)
    });
    is_linear("tools", |count| {
        many(std::iter::once(message("user", "\"Hi\"")), count)
    });
    is_linear("duplicate keys", |count| {
        let twice = r#"{"role":"developer","role":"developer","content":"Hi"}"#;
        many((0..count).map(|_| twice.to_owned()), 1)
    });
}

/// Elements that are compared with each other: ids and tools.
#[test]
fn memory_grows_linearly_with_the_number_of_compared_elements() {
    // Fewer, because each element takes an entry in a table.
    const FEW: usize = 1_500;
    let call = |id: &str, name: &str| {
        format!(
            r#"{{"role":"assistant","content":"","reasoning_content":"r","tool_calls":[{{"id":"{id}","function":{{"name":"{name}"}}}}]}},{}"#,
            format_args!(r#"{{"role":"tool","tool_call_id":"{id}","content":"1"}}"#)
        )
    };
    is_linear_from(FEW, "ids", |count| {
        many(
            (0..count).map(|index| call(&format!("functions.f:{index}"), "f")),
            1,
        )
    });
    is_linear_from(FEW, "empty ids", |count| {
        many((0..count).map(|_| call("", "f")), 1)
    });
    is_linear_from(FEW, "one id", |count| {
        many((0..count).map(|_| call("x", "f")), 1)
    });
    is_linear_from(FEW, "one id and many functions", |count| {
        many((0..count).map(|index| call("x", &format!("f{index}"))), 1)
    });
    // Each new id must differ from all existing ones.
    is_linear_from(FEW, "empty ids after native ids", |count| {
        let id = |index| {
            if index < count / 2 {
                format!("functions.f:{index}")
            } else {
                String::new()
            }
        };
        many((0..count).map(|index| call(&id(index), "f")), 1)
    });
    is_linear_from(FEW, "ids that are equal to new ones", |count| {
        let id = |index| {
            if index % 2 == 0 {
                String::new()
            } else {
                format!("functions.f:{}", index / 2)
            }
        };
        many((0..count).map(|index| call(&id(index), "f")), 1)
    });
    is_linear_from(FEW, "calls of one turn with one id", |count| {
        let calls = vec![r#"{"id":"x","function":{"name":"f"}}"#; count].join(",");
        let turn = format!(
            r#"{{"role":"assistant","content":"","reasoning_content":"r","tool_calls":[{calls}]}}"#
        );
        let answers =
            (0..count).map(|_| r#"{"role":"tool","tool_call_id":"x","content":"1"}"#.to_owned());
        many(std::iter::once(turn).chain(answers), 1)
    });
    is_linear_from(FEW, "equal tools", |count| {
        let tools = vec![r#"{"type":"function","name":"f","parameters":null}"#; count].join(",");
        Bytes::from(chat_with("kimi-k3", HI, &format!(r#","tools":[{tools}]"#)))
    });
}

/// A request without http or https URLs in its parts takes no allocation in this layer.
#[test]
fn a_body_without_urls_to_fetch_allocates_nothing() {
    let inner = tower::service_fn(|request: Request<RequestBody<Full<Bytes>>>| {
        ready(Ok::<_, Infallible>(Response::new(request.into_body())))
    });
    let service = InlineMediaLayer::new().layer(inner);
    let picture = format!("data:image/png;base64,{}", "A".repeat(100_000));
    for url in ["ms://abc", &picture] {
        let body = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}},{{"type":"text","text":"https://example.com/a.png\n\u00e9"}}]}}]}}"#
        );
        let request = Request::post("/v1/chat/completions")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let mut service = service.clone();
        COUNTS.set(Counts::default());
        let mut future = std::pin::pin!(service.call(request));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_ready());
        assert_eq!(COUNTS.get().allocations, 0);
    }
}

// === the layer ===

/// The inner service. It returns the request, so that the test holds it like a service
/// that waits for Moonshot.
#[derive(Clone)]
struct Hold;

impl<B> Service<Request<B>> for Hold {
    type Response = Response<Request<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(Response::new(request)))
    }
}

/// A body as a server provides it: each frame is allocated when it is polled, and freed
/// with its last owner.
#[derive(Clone)]
struct Arriving {
    text: Bytes,
    frame: usize,
    /// The announced length, which may be false or missing.
    announced: Option<u64>,
    sent: usize,
}

impl Arriving {
    fn new(text: &Bytes, frame: usize, announced: Option<u64>) -> Self {
        Self {
            text: text.clone(),
            frame,
            announced,
            sent: 0,
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = &self.text[self.sent..];
        if rest.is_empty() {
            return Poll::Ready(None);
        }
        let frame = Bytes::copy_from_slice(&rest[..rest.len().min(self.frame)]);
        self.sent += frame.len();
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(length) => SizeHint::with_exact(length.saturating_sub(self.sent as u64)),
            None => SizeHint::default(),
        }
    }
}

fn request<B>(method: Method, uri: &'static str, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    // A parsed URI would be shared, and cloning it would allocate.
    *request.uri_mut() = Uri::from_static(uri);
    request
}

type Held = Response<Request<RequestBody<Arriving>>>;

/// Calls the layer. Returns the counts up to the call of the inner service.
fn call(layer: &MoonshotCompatLayer, request: Request<Arriving>) -> (Held, Counts) {
    let mut service = layer.layer(Hold);
    COUNTS.set(Counts::default());
    let Ok(response) = service.call(request).now_or_never().unwrap();
    (response, COUNTS.get())
}

/// Calls the layer for the second time on this thread, as a server usually does.
fn call_again(layer: &MoonshotCompatLayer, request: &Request<Arriving>) -> (Held, Counts) {
    call(layer, request.clone());
    call(layer, request.clone())
}

fn chat(body: Arriving) -> Request<Arriving> {
    request(Method::POST, "/v1/chat/completions", body)
}

fn report(held: &Held) -> &Report {
    held.extensions().get().unwrap()
}

/// Reads a body as a client does: each piece is dropped before the next is made.
fn drain(held: Held) -> (Vec<u8>, Counts) {
    let mut whole = Vec::with_capacity(4 << 20);
    let mut body = Box::pin(held.into_body().into_body());
    let mut cx = Context::from_waker(Waker::noop());
    // The counts continue from those of the call.
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        whole.extend_from_slice(frame.data_ref().unwrap());
    }
    (whole, COUNTS.get())
}

#[test]
fn a_request_that_passes_through_allocates_only_for_a_rewritten_path() {
    let nothing = Arriving::new(&Bytes::new(), 1, Some(0));
    for (region, path, allocations) in [
        (Region::Global, "/v1/models", 0),
        (Region::Global, "/v1/files/a?x=1", 0),
        (Region::KimiCode, "/coding/v1/models", 0),
        (Region::KimiCode, "/v1/models", 1),
        (Region::KimiCode, "/v1/models?x=1", 1),
    ] {
        let layer = MoonshotCompatLayer::new().with_region(region);
        let request = request(Method::GET, path, nothing.clone());
        let (held, counts) = call_again(&layer, &request);
        assert!(held.extensions().is_empty(), "{path}");
        assert_eq!(counts.allocations, allocations, "{path}: {counts:?}");
    }
}

/// Inserting into empty extensions takes three allocations: the table, the box of the
/// table, and the value. The report is inserted into those of the request and of the
/// response.
#[test]
fn a_chat_request_in_one_frame_allocates_only_for_its_reports() {
    let text = bodies::KINDS[1].bodies(false).remove(0);
    for region in [Region::Global, Region::KimiCode] {
        let layer = MoonshotCompatLayer::new().with_region(region);
        let whole = || http_body_util::Full::new(text.clone());
        let mut service = layer.layer(Hold);
        let [_, counts] = [(); 2].map(|()| {
            let request = request(Method::POST, "/v1/chat/completions", whole());
            COUNTS.set(Counts::default());
            let Ok(response) = service.call(request).now_or_never().unwrap();
            assert!(response.extensions().get::<Report>().is_some());
            COUNTS.get()
        });
        assert!(counts.allocations <= 6, "{counts:?}");
        assert!(counts.bytes < 1024, "{counts:?}");
    }
}

/// The size in bytes of the reports and of the list of edits.
const LITTLE: usize = 4 * 1024;

#[test]
fn several_frames_are_gathered_in_one_allocation_of_the_announced_length() {
    let layer = MoonshotCompatLayer::new();
    for kind in &bodies::KINDS[1..4] {
        let text = kind.bodies(false).remove(0);
        assert!(text.len() < 1024 * 1024);
        let frame = 16 * 1024.min(text.len() / 32);
        let length = text.len();
        let body = Arriving::new(&text, frame, Some(length as u64));
        // The frames themselves are as long as the text.
        let frames = length.div_ceil(frame);
        let (held, counts) = call_again(&layer, &chat(body));
        assert_eq!(report(&held).skipped(), None);
        assert!(
            counts.bytes <= length + length + LITTLE && counts.allocations <= frames + 1 + 8,
            "{}: {frames} frames of {length} bytes: {counts:?}",
            kind.name
        );
        assert_eq!(drain(held).0, text);
    }
}

#[test]
fn a_request_in_flight_takes_its_body_once_and_64_kib() {
    let layer = MoonshotCompatLayer::new();
    for is_edited in [false, true] {
        let text = bodies::KINDS[3].bodies(is_edited).remove(0);
        let length = text.len();
        let most = (length + 64 * 1024) as isize;
        for frame in [length, 16 * 1024, 8 * 1024] {
            let body = Arriving::new(&text, frame, Some(length as u64));
            let (held, counts) = call_again(&layer, &chat(body));
            assert_eq!(report(&held).changes().is_empty(), !is_edited);
            assert!(counts.peak <= most, "in frames of {frame}: {counts:?}");
        }
        // A body without an announced length takes up to twice its length while it is
        // read, but not afterwards.
        let (held, counts) = call_again(&layer, &chat(Arriving::new(&text, 16 * 1024, None)));
        assert_eq!(report(&held).changes().is_empty(), !is_edited);
        assert!(counts.live <= most, "{counts:?}");
        assert!(counts.peak <= most + length as isize, "{counts:?}");
        // A body in one frame takes no more than that frame.
        let (_held, counts) = call_again(&layer, &chat(Arriving::new(&text, length, None)));
        assert!(counts.peak <= most, "{counts:?}");
    }
}

#[test]
fn sending_a_request_takes_64_kib_more_at_most() {
    for is_edited in [false, true] {
        let text = bodies::KINDS[3].bodies(is_edited).remove(0);
        let body = Arriving::new(&text, 16 * 1024, Some(text.len() as u64));
        let (held, _) = call_again(&MoonshotCompatLayer::new(), &chat(body));
        let expected = MoonshotCompatLayer::new().rewrite(text).0.into_bytes();
        COUNTS.set(Counts::default());
        let whole = 4 << 20;
        let (sent, counts) = drain(held);
        assert_eq!(sent, expected);
        assert!(counts.peak <= whole + 64 * 1024, "{counts:?}");
    }
}

/// An announced length may be false. At most 16 times the received bytes, or 1 MiB, are
/// reserved for it.
#[test]
fn an_announced_length_alone_reserves_a_mebibyte_at_most() {
    let text = bodies::KINDS[1].bodies(false).remove(0);
    for announced in [90_000_000, 100_000_000] {
        let body = Arriving::new(&text, 64, Some(announced));
        let (held, counts) = call_again(&MoonshotCompatLayer::new(), &chat(body));
        assert_eq!(report(&held).skipped(), None);
        assert!(counts.peak <= (1024 + 64) * 1024, "{counts:?}");
        assert!(counts.live <= 64 * 1024, "{counts:?}");
    }
}

#[test]
fn no_more_than_the_limit_is_reserved() {
    let text = bodies::KINDS[3].bodies(false).remove(0);
    for announced in [None, Some(text.len() as u64)] {
        let limit = text.len() + 1;
        let layer = MoonshotCompatLayer::new().with_max_body_bytes(limit);
        let body = Arriving::new(&text, 16 * 1024, announced);
        let (held, counts) = call_again(&layer, &chat(body));
        assert_eq!(report(&held).skipped(), None);
        assert!(counts.peak <= (limit + 64 * 1024) as isize, "{counts:?}");
    }
    // A body over the limit takes the limit and the frame that exceeds it.
    let limit = text.len() / 2;
    let layer = MoonshotCompatLayer::new().with_max_body_bytes(limit);
    let (held, counts) = call_again(&layer, &chat(Arriving::new(&text, 16 * 1024, None)));
    let Some(Skipped::TooLarge { limit: told, .. }) = report(&held).skipped().cloned() else {
        panic!("{:?}", report(&held));
    };
    assert_eq!(told, limit);
    assert!(counts.peak <= (limit + 64 * 1024) as isize, "{counts:?}");
    assert_eq!(drain(held).0, text);
}
