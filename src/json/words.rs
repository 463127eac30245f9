//! Words that a pass looks for: keys, and values that are one of a few.

/// The first four bytes of a text, as one number.
pub(crate) const fn head(text: &str) -> u32 {
    match text.as_bytes().first_chunk() {
        Some(head) => u32::from_le_bytes(*head),
        None => panic!("shorter than a head"),
    }
}

/// The most bytes that a word takes with its quotes and what follows it. So many are
/// compared at once.
pub(crate) const LONGEST: usize = 32;

/// Declares the words of one kind, such as the keys of a message, and what follows
/// each: a colon after a key, nothing after a value.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $( $word:ident = $text:literal, )+ } $behind:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $( $word, )+
        }

        // Each word is one bit of a set.
        const _: () = assert!($name::NAMES.len() <= u32::BITS as usize);
        // Each word fits in the bytes that `take` compares at once.
        $( const _: () = assert!(concat!("\"", $text, "\"", $behind).len() <= $crate::json::words::LONGEST); )+

        #[allow(dead_code, reason = "not every kind of word is a key, or is written")]
        impl $name {
            pub(super) const NAMES: &'static [&'static str] = &[ $( $text, )+ ];

            pub(super) const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The word as a quoted key with its colon, for a new member.
            pub(super) const fn key(self) -> &'static str {
                const KEYS: &[&str] = &[ $( concat!("\"", $text, "\":"), )+ ];
                KEYS[self as usize]
            }

            /// The bit of this word in a set.
            pub(super) const fn bit(self) -> u32 {
                1 << self as u32
            }

            /// Takes the next word and what follows it, if it is one of these and
            /// spelled without escapes and spaces. Nearly all are, and
            /// comparing bytes is cheaper than reading a string.
            #[inline(always)]
            pub(super) fn take<B: Backend>(scanner: &mut Scanner<'_, B>) -> Option<(Self, Str)> {
                #[allow(non_upper_case_globals, reason = "named as the words")]
                mod heads {
                    $( pub(super) const $word: u32 = $crate::json::words::head(concat!("\"", $text, "\": ")); )+
                }
                let window: &[u8; $crate::json::words::LONGEST] = scanner.upcoming()?;
                // The first four bytes tell which word it may be.
                let (word, length) = match u32::from_le_bytes(*window.first_chunk()?) {
                    $(
                        heads::$word if window.starts_with(concat!("\"", $text, "\"", $behind).as_bytes()) => {
                            (Self::$word, $text.len() + 2)
                        }
                    )+
                    _ => return None,
                };
                let span = scanner.pass(length, $behind.len());
                Some((word, Str { span, escaped: false }))
            }

            /// Reads the next key and its colon, whichever it is.
            #[inline(always)]
            pub(super) fn read_key<B: Backend>(
                scanner: &mut Scanner<'_, B>,
            ) -> Result<(Option<Self>, Str), Error> {
                scanner.next();
                match Self::take(scanner) {
                    Some((word, key)) => Ok((Some(word), key)),
                    None => {
                        let key = scanner.key()?;
                        Ok((Self::of(key, scanner.text()), key))
                    }
                }
            }

            /// The word that a string in `text` spells, with or without escapes.
            #[inline(always)]
            pub(super) fn of(string: Str, text: &[u8]) -> Option<Self> {
                match string.plain(text) {
                    Some(name) => Self::named(name),
                    None => Self::of_escaped(string, text),
                }
            }

            #[cold]
            fn of_escaped(string: Str, text: &[u8]) -> Option<Self> {
                Self::named(&string.unescaped(text))
            }

            /// The word with this name.
            pub(super) fn named(name: &[u8]) -> Option<Self> {
                $(
                    if name == $text.as_bytes() {
                        return Some(Self::$word);
                    }
                )+
                None
            }
        }
    };
}

pub(crate) use words;
