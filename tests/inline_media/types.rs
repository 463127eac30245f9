//! Formats of images and videos.

use tower_moonshot::inline_media::{MediaType, NotInlined};

use crate::harness::*;

const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";

async fn image_of(content_type: &'static str, content: &'static [u8]) -> Passed {
    let origin = Origin::start(move |_| ok(content_type, content)).await;
    send(&layer(), chat([image(&origin.url("/a.png"))])).await
}

#[tokio::test]
async fn content_and_header_must_both_be_of_an_accepted_format() {
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    for (content_type, content, why) in [
        ("text/html", PNG, NotInlined::ContentType),
        ("image/png", &b"<!doctype html>"[..], NotInlined::Content),
        ("image/svg+xml", svg, NotInlined::ContentType),
        ("image/png", svg, NotInlined::Content),
        ("image/avif", b"\0\0\0\x20ftypavif", NotInlined::ContentType),
        (
            "application/octet-stream",
            b"\0\0\0\x20ftypavif",
            NotInlined::Content,
        ),
        ("image/png", b"", NotInlined::Content),
        // A video in an image part.
        ("video/mp4", MP4, NotInlined::ContentType),
        ("image/png", MP4, NotInlined::Content),
    ] {
        let passed = image_of(content_type, content).await;
        assert_eq!(passed.outcome(), Err(why), "{content_type}");
    }
}

#[tokio::test]
async fn the_content_decides_the_format() {
    for (content_type, content, expected) in [
        ("image/png", PNG, MediaType::Png),
        ("image/jpeg", PNG, MediaType::Png),
        ("Image/JPG;q=1", b"\xff\xd8\xff\xe0", MediaType::Jpeg),
        ("application/octet-stream", b"GIF89a", MediaType::Gif),
        ("image/webp", b"RIFF\0\0\0\0WEBPVP8L", MediaType::Webp),
    ] {
        let passed = image_of(content_type, content).await;
        assert_eq!(passed.outcome().unwrap().media_type(), expected);
        let [url] = &passed.urls()[..] else { panic!() };
        assert!(url.starts_with(&format!("data:{expected};base64,")));
    }
}

#[tokio::test]
async fn a_video_is_inlined_as_a_video() {
    let origin = Origin::start(|_| ok("video/mp4", MP4)).await;
    let passed = send(&layer(), chat([video(&origin.url("/a.mp4"))])).await;
    assert_eq!(
        passed.urls(),
        ["data:video/mp4;base64,AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDE="]
    );
    assert!(origin.heads()[0].contains("\r\naccept: video/*\r\n"));

    let origin = Origin::of_images().await;
    let passed = send(&layer(), chat([video(&origin.url("/a.mp4"))])).await;
    assert_eq!(passed.outcome(), Err(NotInlined::ContentType));
}

#[tokio::test]
async fn compressed_content_is_not_inlined() {
    let origin = Origin::start(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: image/png\r\n\r\n";
        [head, PNG].concat()
    })
    .await;
    let passed = send(&layer(), chat([image(&origin.url("/"))])).await;
    assert_eq!(passed.outcome(), Err(NotInlined::Compressed));
}

#[tokio::test]
async fn any_other_status_than_200_is_no_image() {
    for status in [201, 204, 206, 300, 304, 401, 404, 500] {
        let origin = Origin::start(move |_| {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: image/png\r\nconnection: close\r\n\r\n"
            );
            [head.as_bytes(), PNG].concat()
        })
        .await;
        let passed = send(&layer(), chat([image(&origin.url("/"))])).await;
        let status = http::StatusCode::from_u16(status).unwrap();
        assert_eq!(passed.outcome(), Err(NotInlined::Status(status)));
    }
}
