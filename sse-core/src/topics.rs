//! `Topics`: the names that a message is published to and that a subscription asks for.

use std::{borrow::Cow, fmt, sync::Arc};

/// A set of topics.
///
/// A topic is any text; the empty one is the [default](Self::default), for applications without
/// topics. A subscriber gets a message once, however many of its topics match.
///
/// A hub takes at most 128 topics, for a message and for a subscription, and names of at most
/// 1 KiB: see [`HubBuilder::max_topics`](crate::hub::HubBuilder::max_topics) and
/// [`HubBuilder::topic_bytes`](crate::hub::HubBuilder::topic_bytes).
///
/// Made from one topic, or an array, a slice, a vector or an iterator of them. `()` is the default
/// topic; an empty list is no topic at all: a message published to it reaches nobody, and a
/// subscription to it gets nothing. A list of strings to serde, with feature `serde`.
///
/// ```
/// use sse_core::Topics;
///
/// let topics = Topics::from(["news", "sport", "news"]);
/// assert_eq!(topics.len(), 2);
/// assert!(topics.matches(&Topics::from("sport")));
///
/// assert_eq!(Topics::from(()), Topics::default());
/// let may_read: Topics = ["news", "admin"].into_iter().filter(|_| false).collect();
/// assert!(may_read.is_empty());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Vec<String>", into = "Vec<String>"))]
pub struct Topics(Set);

/// Sorted and without duplicates, so that equal sets are equal values; a set of one is always
/// `One`, any other `Many`.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Set {
    /// The rule, without a second allocation.
    One(Arc<str>),
    Many(Arc<[Arc<str>]>),
}

impl Topics {
    /// The name of the default topic.
    pub const DEFAULT: &'static str = "";

    /// Returns `true` if a message published to `self` goes to a subscription of `other`.
    ///
    /// The one place that decides what matches.
    pub fn matches(&self, other: &Self) -> bool {
        let (few, many) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        few.iter().any(|topic| many.contains(topic))
    }

    /// Returns the topics in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shared().iter().map(AsRef::as_ref)
    }

    /// Returns the number of topics.
    pub fn len(&self) -> usize {
        self.shared().len()
    }

    /// Returns `true` if there is no topic.
    pub fn is_empty(&self) -> bool {
        self.shared().is_empty()
    }

    /// Returns the topics as they are kept, to be shared.
    pub(crate) fn shared(&self) -> &[Arc<str>] {
        match &self.0 {
            Set::One(topic) => std::slice::from_ref(topic),
            Set::Many(topics) => topics,
        }
    }

    /// Returns the same topics, with each name shared from another place.
    pub(crate) fn map(&self, same: impl FnMut(&Arc<str>) -> Arc<str>) -> Self {
        match &self.0 {
            Set::One(topic) => Self(Set::One({ same }(topic))),
            Set::Many(topics) => Self(Set::Many(topics.iter().map(same).collect())),
        }
    }

    /// Returns a number that stands for exactly this set: FNV-1a over the names, each ended by a
    /// byte that no text holds. The same in every process and version, because ids carry it.
    pub(crate) fn fingerprint(&self) -> u64 {
        const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let names = self.iter().flat_map(|name| name.bytes().chain([0xff]));
        names.fold(BASIS, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        })
    }

    fn contains(&self, topic: &str) -> bool {
        self.shared()
            .binary_search_by(|own| own.as_ref().cmp(topic))
            .is_ok()
    }
}

/// The default topic.
impl Default for Topics {
    fn default() -> Self {
        Self::from(Self::DEFAULT)
    }
}

impl<T: Into<Arc<str>>> FromIterator<T> for Topics {
    fn from_iter<I: IntoIterator<Item = T>>(topics: I) -> Self {
        let mut topics: Vec<Arc<str>> = topics.into_iter().map(Into::into).collect();
        topics.sort_unstable();
        topics.dedup();
        match topics.pop() {
            Some(only) if topics.is_empty() => only.into(),
            last => {
                topics.extend(last);
                Self(Set::Many(topics.into()))
            }
        }
    }
}

impl From<&str> for Topics {
    fn from(topic: &str) -> Self {
        Arc::<str>::from(topic).into()
    }
}

impl From<Arc<str>> for Topics {
    fn from(topic: Arc<str>) -> Self {
        Self(Set::One(topic))
    }
}

impl From<String> for Topics {
    fn from(topic: String) -> Self {
        Arc::<str>::from(topic).into()
    }
}

impl From<&String> for Topics {
    fn from(topic: &String) -> Self {
        topic.as_str().into()
    }
}

impl From<Cow<'_, str>> for Topics {
    fn from(topic: Cow<'_, str>) -> Self {
        Arc::<str>::from(topic).into()
    }
}

impl<T: Into<Arc<str>>, const N: usize> From<[T; N]> for Topics {
    fn from(topics: [T; N]) -> Self {
        topics.into_iter().collect()
    }
}

impl<T: Into<Arc<str>>> From<Vec<T>> for Topics {
    fn from(topics: Vec<T>) -> Self {
        topics.into_iter().collect()
    }
}

impl<T: Clone + Into<Arc<str>>> From<&[T]> for Topics {
    fn from(topics: &[T]) -> Self {
        topics.iter().cloned().collect()
    }
}

impl<T: Clone + Into<Arc<str>>, const N: usize> From<&[T; N]> for Topics {
    fn from(topics: &[T; N]) -> Self {
        topics.as_slice().into()
    }
}

impl<T: Clone + Into<Arc<str>>> From<&Vec<T>> for Topics {
    fn from(topics: &Vec<T>) -> Self {
        topics.as_slice().into()
    }
}

/// The default topic.
impl From<()> for Topics {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Topics> for Vec<String> {
    fn from(topics: Topics) -> Self {
        topics.iter().map(str::to_owned).collect()
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
