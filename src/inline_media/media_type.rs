//! Detects the format of images and videos, from content and from `Content-Type`.

use std::fmt;

use memchr::memmem;

/// The kinds of parts whose URLs are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum MediaKind {
    Image,
    Video,
}

impl MediaKind {
    /// The `type` of a part of this kind, which is also the key of its URL.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Image => "image_url",
            Self::Video => "video_url",
        }
    }

    /// The `Accept` header of a request for this kind.
    pub(super) const fn accept(self) -> &'static str {
        match self {
            Self::Image => "image/png, image/jpeg, image/webp, image/gif",
            Self::Video => "video/*",
        }
    }
}

/// Declares the formats with their media types. The first is the one in `data:` URLs, and
/// the others are aliases that servers send.
macro_rules! media_types {
    ($( $kind:ident $(#[doc = $doc:literal])+ $name:ident = $essence:literal $(| $alias:literal)* ; )+) => {
        /// A format of images or videos that Moonshot accepts.
        ///
        /// The formats are documented: png, jpeg, webp and gif; mp4, mpeg, mov, avi,
        /// x-flv, mpg, webm, wmv and 3gpp. The media type of a video is documented for
        /// `video/mp4` only. The others are those that the vendor's client uses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum MediaType {
            $( $(#[doc = $doc])+ $name, )+
        }

        impl MediaType {
            /// Returns the media type in the `data:` URL, such as `image/png`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$name => $essence, )+
                }
            }

            pub(super) const fn kind(self) -> MediaKind {
                match self {
                    $( Self::$name => MediaKind::$kind, )+
                }
            }

            /// Returns the format with this media type or alias.
            fn of_name(name: &str) -> Option<Self> {
                match name {
                    $( $essence $(| $alias)* => Some(Self::$name), )+
                    _ => None,
                }
            }
        }
    };
}

media_types! {
    Image /// PNG.
        Png = "image/png" | "image/x-png";
    Image /// JPEG.
        Jpeg = "image/jpeg" | "image/jpg" | "image/pjpeg";
    Image /// WebP.
        Webp = "image/webp";
    Image /// GIF.
        Gif = "image/gif";
    Video /// MPEG-4.
        Mp4 = "video/mp4" | "video/x-m4v" | "application/mp4";
    Video /// MPEG-1 and MPEG-2.
        Mpeg = "video/mpeg" | "video/mpg" | "video/x-mpeg";
    Video /// QuickTime.
        Mov = "video/quicktime" | "video/mov";
    Video /// AVI.
        Avi = "video/x-msvideo" | "video/avi" | "video/msvideo";
    Video /// Flash video.
        Flv = "video/x-flv" | "video/flv";
    Video /// WebM.
        Webm = "video/webm";
    Video /// Windows Media.
        Wmv = "video/x-ms-wmv" | "video/wmv" | "video/x-ms-asf";
    Video /// 3GPP.
        ThreeGpp = "video/3gpp" | "video/3gpp2";
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a `Content-Type` is compatible with this kind. File stores send `octet-stream`
/// for files of unknown type, so it is treated like a missing header.
pub(super) fn announces(content_type: Option<&[u8]>, kind: MediaKind) -> bool {
    let Some(content_type) = content_type else {
        return true;
    };
    let essence = content_type.split(|&byte| byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    let essence = String::from_utf8_lossy(essence).to_ascii_lowercase();
    match &*essence {
        "application/octet-stream" | "binary/octet-stream" => true,
        name => MediaType::of_name(name).is_some_and(|known| known.kind() == kind),
    }
}

impl MediaType {
    /// Detects the format of a file from its first bytes. The signatures are those of
    /// WHATWG's MIME Sniffing Standard, where it has one.
    pub(super) fn of_content(content: &[u8]) -> Option<Self> {
        const ASF: &[u8] = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

        let at = |offset: usize, signature: &[u8]| {
            content
                .get(offset..)
                .is_some_and(|rest| rest.starts_with(signature))
        };
        if at(0, b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if at(0, b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if at(0, b"RIFF") && at(8, b"WEBPVP") {
            Some(Self::Webp)
        } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
            Some(Self::Gif)
        } else if at(4, b"ftyp") {
            Self::of_brand(content.get(8..12)?)
        } else if at(4, b"moov") || at(4, b"mdat") || at(4, b"wide") {
            // Old QuickTime files have no brand.
            Some(Self::Mov)
        } else if at(0, b"\x1a\x45\xdf\xa3") {
            is_webm(content).then_some(Self::Webm)
        } else if at(0, b"RIFF") && at(8, b"AVI ") {
            Some(Self::Avi)
        } else if at(0, b"FLV\x01") {
            Some(Self::Flv)
        } else if at(0, ASF) {
            Some(Self::Wmv)
        } else if at(0, b"\x00\x00\x01\xba") || at(0, b"\x00\x00\x01\xb3") {
            // An MPEG program stream, or a video stream alone.
            Some(Self::Mpeg)
        } else {
            None
        }
    }

    /// Returns the format for a major brand of the ISO base media file format. Brands of
    /// still images and audio have none.
    fn of_brand(brand: &[u8]) -> Option<Self> {
        match brand {
            b"qt  " => Some(Self::Mov),
            [b'3', b'g', ..] => Some(Self::ThreeGpp),
            [b'i', b's', b'o', _] | [b'm', b'p', b'4', _] | [b'M', b'4', b'V', _] => {
                Some(Self::Mp4)
            }
            b"avc1" | b"dash" | b"mmp4" | b"MSNV" | b"f4v " => Some(Self::Mp4),
            _ => None,
        }
    }
}

/// Whether the document type in an EBML header is `webm`.
fn is_webm(content: &[u8]) -> bool {
    const DOC_TYPE: &[u8] = b"\x42\x82";

    let header = &content[..content.len().min(64)];
    let Some(found) = memmem::find(header, DOC_TYPE) else {
        return false;
    };
    let rest = &header[found + DOC_TYPE.len()..];
    // The leading zeros of the length encode its width.
    let width = rest
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize + 1);
    rest.get(width..)
        .is_some_and(|name| name.starts_with(b"webm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_detected_from_the_first_bytes() {
        for (content, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some(MediaType::Png)),
            (b"\x89PNG\n", None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some(MediaType::Jpeg)),
            (b"\xff\xd8", None),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some(MediaType::Webp)),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"GIF89a\x01\0", Some(MediaType::Gif)),
            (b"GIF88a", None),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", Some(MediaType::Mp4)),
            (b"\0\0\0\x20ftypmp42\0\0\0\0", Some(MediaType::Mp4)),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", Some(MediaType::Mov)),
            (b"\0\0\0\x14ftyp3gp5\0\0\0\0", Some(MediaType::ThreeGpp)),
            (b"\0\0\0\x20ftypavif\0\0\0\0", None),
            (b"\0\0\0\x20ftypheic\0\0\0\0", None),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", None),
            (b"\0\0\0\x20ftyp", None),
            (b"\0\0\x10\0moov\0\0\0\x6cmvhd", Some(MediaType::Mov)),
            (b"RIFF\x24\0\0\0AVI LIST", Some(MediaType::Avi)),
            (b"FLV\x01\x05", Some(MediaType::Flv)),
            (
                b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
                Some(MediaType::Wmv),
            ),
            (b"\x00\x00\x01\xba\x44", Some(MediaType::Mpeg)),
            (
                b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
                Some(MediaType::Webm),
            ),
            (
                b"\x1a\x45\xdf\xa3\x9f\x42\x82\x40\x04webm",
                Some(MediaType::Webm),
            ),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", None),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"", None),
        ] {
            assert_eq!(MediaType::of_content(content), expected, "{content:?}");
        }
    }

    #[test]
    fn content_types_are_compatible_with_their_own_kind() {
        let image = |content_type: &str| announces(Some(content_type.as_bytes()), MediaKind::Image);
        for accepted in [
            "image/png",
            "IMAGE/JPEG; q=1",
            " image/jpg ",
            "application/octet-stream",
            "binary/octet-stream",
        ] {
            assert!(image(accepted), "{accepted}");
        }
        for refused in [
            "",
            "text/html",
            "image/svg+xml",
            "image/avif",
            "video/mp4",
            "image",
        ] {
            assert!(!image(refused), "{refused}");
        }
        assert!(announces(None, MediaKind::Image));
        assert!(announces(Some(b"video/quicktime"), MediaKind::Video));
        assert!(!announces(Some(b"image/gif"), MediaKind::Video));
    }
}
