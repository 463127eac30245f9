//! The parts of a body that change, and those that stay.

use http::Request;
use tower_moonshot::inline_media::MediaType;

use crate::harness::*;

#[tokio::test]
async fn an_image_is_inlined_and_every_other_byte_stays() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a.png");
    let body = format!(
        r#" {{"model" : "kimi-k3", "temperature":1.0e0,
  "messages":[{{"role":"system","content":"https:\/\/example.com\u00e9"}},
    {{"content":[{{"type":"text","text":"{url}"}},
      {{"image_url" : {{ "detail":"low", "url" :	"{url}" , "x":[1,{{"url":"{url}"}}] }}, "type":"image_url"}} ],"role":"user"}}]
 }} "#
    );
    let passed = send(&layer(), body.clone()).await;
    let expected = body.replace(&format!("\t\"{url}\" "), &format!("\t\"{PNG_URL}\" "));
    assert_eq!(passed.body, expected);
    assert_eq!(passed.headers["content-length"], expected.len().to_string());
    let [media] = passed.media() else { panic!() };
    assert_eq!(media.pointer(), "/messages/1/content/1/image_url/url");
    let inlined = media.outcome().unwrap();
    assert_eq!(inlined.media_type(), MediaType::Png);
    assert_eq!(inlined.bytes(), PNG.len());
    assert_eq!(
        passed.report.unwrap().to_string(),
        format!(
            "inlined at /messages/1/content/1/image_url/url: image/png of {} bytes",
            PNG.len()
        )
    );
}

#[tokio::test]
async fn escaped_keys_types_and_urls_are_recognized() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a").replace('/', "\\/").replace('h', "\\u0068");
    let body = format!(
        r#"{{"m\u0065ssages":[{{"cont\u0065nt":[{{"\u0074ype":"image\u005Furl","imag\u0065\u005furl":{{"ur\u006c":"{url}"}}}}]}}]}}"#
    );
    let passed = send(&layer(), body.clone()).await;
    assert_eq!(passed.body, body.replace(&url, PNG_URL));
}

#[tokio::test]
async fn a_url_need_not_be_in_an_object() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a");
    let body =
        format!(r#"{{"messages":[{{"content":[{{"type":"image_url","image_url":"{url}"}}]}}]}}"#);
    let passed = send(&layer(), body.clone()).await;
    assert_eq!(passed.body, body.replace(&url, PNG_URL));
    assert_eq!(
        passed.media()[0].pointer(),
        "/messages/0/content/0/image_url"
    );
}

#[tokio::test]
async fn the_last_of_duplicate_keys_wins_and_the_others_are_removed() {
    let origin = Origin::of_images().await;
    let url = origin.url("/last");
    let first = origin.url("/first");
    for (before, after) in [
        (r#""url":"FIRST","url":URL"#, r#""url":URL"#),
        (
            r#""url":"FIRST","x":1,"url":7,"url":URL"#,
            r#""x":1,"url":URL"#,
        ),
    ] {
        let wrap = |inner: &str, url: &str| {
            format!(
                r#"{{"messages":[{{"content":[{{"type":"image_url","image_url":{{{inner}}}}}]}}]}}"#
            )
            .replace("FIRST", &first)
            .replace("URL", &format!("\"{url}\""))
        };
        let passed = send(&layer(), wrap(before, &url)).await;
        assert_eq!(passed.body, wrap(after, PNG_URL));
    }
    // The same key further out, at each level.
    let part = |url: &str| format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#);
    for (before, after) in [
        (
            r#"{"messages":[{"content":[{"image_url":"FIRST","type":"text","image_url":{"url":"URL"},"type":"image_url"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"text","image_url":{"url":"URL"},"type":"image_url"}]}]}"#,
        ),
        (
            r#"{"messages":[{"content":[FIRST],"content":[PART]}]}"#,
            r#"{"messages":[{"content":[PART]}]}"#,
        ),
        (
            r#"{"messages":[{"content":[FIRST]}],"messages":[{"content":[PART]}]}"#,
            r#"{"messages":[{"content":[PART]}]}"#,
        ),
    ] {
        let fill = |body: &str, url: &str| {
            body.replace("[FIRST]", &format!("[{}]", part(&first)))
                .replace("FIRST", &first)
                .replace("PART", &part(url))
                .replace("URL", url)
        };
        let passed = send(&layer(), fill(before, &url)).await;
        assert_eq!(passed.body, fill(after, PNG_URL));
    }
    assert!(origin.paths().iter().all(|path| path == "/last"));
}

#[tokio::test]
async fn duplicate_keys_stay_where_nothing_is_inlined() {
    let origin = Origin::start(|_| b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n".into()).await;
    let body = format!(
        r#"{{"messages":[{{"content":[{{"type":"image_url","image_url":{{"url":"x","url":"{}"}}}}]}}]}}"#,
        origin.url("/a")
    );
    let passed = send(&layer(), body.clone()).await;
    assert_eq!(passed.body, body);
    assert!(passed.outcome().is_err());
}

#[tokio::test]
async fn everything_except_http_urls_of_parts_is_ignored() {
    let origin = Origin::of_images().await;
    let url = origin.url("/a");
    for body in [
        chat([image("data:image/png;base64,AA=="), video("ms://abc")]),
        chat([
            image("file:///etc/passwd"),
            image("ftp://127.0.0.1/a"),
            image("http"),
            image(""),
        ]),
        chat([serde_json::json!({"type": "text", "text": url, "image_url": {"url": url}})]),
        chat([serde_json::json!({"type": "image_url", "video_url": {"url": url}})]),
        chat([serde_json::json!({"type": "image_url", "image_url": {"url": [url]}})]),
        chat([serde_json::json!({"type": "input_image", "image_url": url})]),
        chat([
            serde_json::json!({"image_url": url}),
            serde_json::json!(url),
        ]),
        format!(r#"{{"messages":[{{"content":"{url}"}}],"image_url":"{url}"}}"#),
        format!(r#"{{"messages":{{"content":[{}]}}}}"#, image(&url)),
        // Invalid JSON: one bracket too many.
        format!("{}}}", chat([image(&url)])),
        String::new(),
    ] {
        let passed = send(&layer(), body.clone()).await;
        assert_eq!(passed.body, body);
        assert!(passed.report.is_none(), "{body}");
    }
    assert_eq!(origin.paths(), [""; 0]);
}

#[tokio::test]
async fn only_plain_chat_requests_are_read() {
    let origin = Origin::of_images().await;
    let body = chat([image(&origin.url("/a"))]);
    for request in [
        Request::post("/v1/embeddings"),
        Request::put("/v1/chat/completions"),
        Request::post("/v1/chat/completions").header("content-type", "text/plain"),
        Request::post("/v1/chat/completions").header("content-encoding", "gzip"),
    ] {
        let request = request.body(body.clone().into()).unwrap();
        let passed = send_request(&layer(), request).await;
        assert_eq!(passed.body, body);
        assert!(passed.report.is_none());
    }
    let passed = send(&layer().with_max_body_bytes(body.len() - 1), body.clone()).await;
    assert_eq!(passed.body, body);
    assert_eq!(origin.paths(), [""; 0]);
}

#[tokio::test]
async fn digests_of_a_changed_body_are_removed() {
    let origin = Origin::of_images().await;
    let request = |url: &str| {
        Request::post("/v1/chat/completions")
            .header("content-digest", "sha-256=:AA==:")
            .header("content-length", "1")
            .header("expect", "100-continue")
            .body(chat([image(url)]).into())
            .unwrap()
    };
    let passed = send_request(&layer(), request(&origin.url("/a"))).await;
    assert!(!passed.headers.contains_key("content-digest"));
    assert!(!passed.headers.contains_key("expect"));
    assert_eq!(
        passed.headers["content-length"],
        passed.body.len().to_string()
    );
    let passed = send_request(&layer(), request("http://127.0.0.1:0/")).await;
    assert!(passed.outcome().is_err());
    assert!(passed.headers.contains_key("content-digest"));
}
