//! The bodies that the benches rewrite, generated from a seed. There are several of each
//! kind, so that branch predictors can't learn one.

use std::fmt::Write;

use bytes::Bytes;

/// The number of different bodies of each kind.
pub(crate) const VARIANTS: u64 = 4;

/// A kind of body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    make: fn(&mut Rng, bool) -> String,
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind {
        name: "a",
        what: "300 B chat",
        make: small_chat,
    },
    Kind {
        name: "b",
        what: "2 KB chat",
        make: chat,
    },
    Kind {
        name: "c",
        what: "58 KB with 128 tools",
        make: agent,
    },
    Kind {
        name: "d",
        what: "1 MB CJK",
        make: cjk,
    },
    Kind {
        name: "e",
        what: "8 MB images",
        make: images,
    },
    Kind {
        name: "f",
        what: "300 KB code",
        make: code,
    },
    Kind {
        name: "g",
        what: "300 KB \\uXXXX",
        make: escaped_cjk,
    },
    Kind {
        name: "h",
        what: "128 tools indented",
        make: pretty_agent,
    },
];

impl Kind {
    /// Returns the bodies of this kind. Edited ones contain what the model refuses: a
    /// temperature, a `developer` message, and text in arrays where there are no images.
    pub(crate) fn bodies(&self, edited: bool) -> Vec<Bytes> {
        (1..=VARIANTS)
            .map(|seed| {
                let body = (self.make)(&mut Rng::new(seed), edited);
                Bytes::from(body)
            })
            .collect()
    }
}

/// A random number generator (xorshift64) with the same numbers on every machine.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    pub(crate) fn words(&mut self, bytes: usize) -> String {
        const WORDS: &[&str] = &[
            "the", "weather", "in", "a", "city", "of", "request", "and", "model", "tomorrow",
            "please", "function", "answer", "with", "context", "window", "I", "to", "service",
        ];
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(self.pick(WORDS));
            text.push(if self.below(12) == 0 { '.' } else { ' ' });
        }
        text
    }

    fn han(&mut self) -> char {
        char::from_u32(0x4e00 + self.below(0x5000) as u32).unwrap_or('月')
    }
}

fn head(edited: bool) -> String {
    let mut head = String::from(r#"{"model":"kimi-k3","stream":true,"#);
    if edited {
        head.push_str(r#""temperature":0.7,"#);
    }
    head.push_str(r#""messages":["#);
    let role = if edited { "developer" } else { "system" };
    write!(
        head,
        r#"{{"role":"{role}","content":"You are a helpful assistant."}},"#
    )
    .unwrap();
    head
}

fn user(text: &str, edited: bool) -> String {
    if edited {
        format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}"#)
    } else {
        format!(r#"{{"role":"user","content":"{text}"}}"#)
    }
}

fn small_chat(rng: &mut Rng, edited: bool) -> String {
    let text = rng.words(90 + rng.0 as usize % 20);
    format!(
        r#"{}{}],"max_tokens":1024,"user":"u-{}"}}"#,
        head(edited),
        user(&text, edited),
        rng.below(1000)
    )
}

fn chat(rng: &mut Rng, edited: bool) -> String {
    let mut body = head(edited);
    for turn in 0..7 {
        let size = 100 + rng.below(260);
        let text = rng.words(size);
        if turn % 2 == 0 {
            body.push_str(&user(&text, edited));
        } else {
            write!(
                body,
                r#"{{"role":"assistant","content":"{text}\n\n- {}"}}"#,
                rng.words(20)
            )
            .unwrap();
        }
        body.push_str(if turn < 6 { "," } else { "" });
    }
    body + r#"],"top_p":0.95,"max_completion_tokens":2048,"stream_options":{"include_usage":true}}"#
}

fn agent(rng: &mut Rng, edited: bool) -> String {
    let mut body = head(edited);
    for turn in 0..20 {
        let question = rng.words(60);
        let size = 80 + rng.below(200);
        let result = rng.words(size);
        write!(
            body,
            concat!(
                r#"{},{{"role":"assistant","content":null,"reasoning_content":"{}","#,
                r#""tool_calls":[{{"id":"call_{turn}","type":"function","function":{{"name":"tool_{}","#,
                r#""arguments":"{{\"path\":\"src/{}.rs\",\"line\":{}}}"}}}}]}},"#,
                r#"{{"role":"tool","tool_call_id":"call_{turn}","content":"{{\"ok\":true,\"result\":\"{}\"}}"}},"#,
            ),
            user(&question, edited),
            rng.words(60),
            rng.below(128),
            rng.pick(&["main", "lib", "model"]),
            rng.below(900),
            result,
            turn = turn,
        )
        .unwrap();
    }
    body.push_str(&user("Go on.", edited));
    body.push_str(r#"],"tools":["#);
    for tool in 0..128 {
        write!(
            body,
            concat!(
                r#"{}{{"type":"function","function":{{"name":"tool_{}","description":"{}","#,
                r#""parameters":{{"type":"object","properties":{{"path":{{"type":"string","description":"{}"}},"#,
                r#""line":{{"type":"integer"}},"mode":{{"type":"string","enum":["read","write"]}}}},"#,
                r#""required":["path"],"additionalProperties":false}}}}}}"#,
            ),
            if tool > 0 { "," } else { "" },
            tool,
            rng.words(40),
            rng.words(20),
        )
        .unwrap();
    }
    body + r#"],"tool_choice":"auto"}"#
}

fn pretty_agent(rng: &mut Rng, edited: bool) -> String {
    indented(&agent(rng, edited))
}

/// Indents compact JSON by two spaces per level.
fn indented(compact: &str) -> String {
    let mut pretty = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let line = |pretty: &mut String, depth: usize| {
        pretty.push('\n');
        pretty.extend(std::iter::repeat_n("  ", depth));
    };
    for letter in compact.chars() {
        if in_string {
            pretty.push(letter);
            (in_string, escaped) = match letter {
                _ if escaped => (true, false),
                '\\' => (true, true),
                '"' => (false, false),
                _ => (true, false),
            };
            continue;
        }
        match letter {
            '{' | '[' => {
                depth += 1;
                pretty.push(letter);
                line(&mut pretty, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut pretty, depth);
                pretty.push(letter);
            }
            ',' => {
                pretty.push(letter);
                line(&mut pretty, depth);
            }
            ':' => pretty.push_str(": "),
            _ => {
                in_string = letter == '"';
                pretty.push(letter);
            }
        }
    }
    pretty
}

/// A chat with one long text, which `text` extends until it has `bytes` bytes.
fn long(edited: bool, bytes: usize, mut text: impl FnMut(&mut String)) -> String {
    let mut long = String::with_capacity(bytes + 64);
    while long.len() < bytes {
        text(&mut long);
    }
    format!("{}{}]}}", head(edited), user(&long, edited))
}

fn cjk(rng: &mut Rng, edited: bool) -> String {
    long(edited, 1_000_000, |text| {
        for _ in 0..40 + rng.below(40) {
            text.push(rng.han());
        }
        text.push_str("。\\n");
    })
}

fn escaped_cjk(rng: &mut Rng, edited: bool) -> String {
    long(edited, 300_000, |text| {
        write!(text, "\\u{:04x}", rng.han() as u32).unwrap();
        if rng.below(30) == 0 {
            text.push_str(", ");
        }
    })
}

fn code(rng: &mut Rng, edited: bool) -> String {
    long(edited, 300_000, |text| {
        let indent = rng.below(3);
        text.extend(std::iter::repeat_n("\\t", indent));
        write!(
            text,
            "{}(\\\"{}\\\");",
            rng.pick(&["log", "x", "f"]),
            rng.pick(&["name", "id", "it is {}"])
        )
        .unwrap();
        text.push_str("\\n");
    })
}

fn images(rng: &mut Rng, edited: bool) -> String {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut body = head(edited);
    body.push_str(r#"{"role":"user","content":[{"type":"text","text":"What is in these images?"}"#);
    for _ in 0..2 {
        body.push_str(r#",{"type":"image_url","image_url":{"url":"data:image/png;base64,"#);
        for _ in 0..4_000_000 {
            body.push(char::from(BASE64[rng.below(64)]));
        }
        body.push_str(r#""}}"#);
    }
    body + "]}]}"
}
