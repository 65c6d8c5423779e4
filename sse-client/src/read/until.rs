//! The event that ends an answer.

use super::ReadError;

/// The data that ends an answer.
#[derive(Clone, Debug, Default)]
pub(super) enum Until {
    /// There is none: it ends with its body.
    #[default]
    Nothing,
    /// It may come.
    #[cfg(feature = "json")]
    Perhaps(String),
    /// It has to come, or something is missing.
    Certainly(String),
}

impl Until {
    /// Whether this data is the end.
    pub(super) fn is(&self, data: &str) -> bool {
        match self {
            Self::Nothing => false,
            #[cfg(feature = "json")]
            Self::Perhaps(end) => end == data,
            Self::Certainly(end) => end == data,
        }
    }

    /// Whether it may end here, with its body.
    pub(super) fn check_end(&self) -> Result<(), ReadError> {
        let Self::Certainly(end) = self else {
            return Ok(());
        };
        Err(ReadError::Incomplete {
            expected: end.clone(),
        })
    }

    /// [`Perhaps`](Self::Perhaps) this, unless something else has been asked for.
    #[cfg(feature = "json")]
    pub(super) fn or_perhaps(self, data: &str) -> Self {
        match self {
            Self::Nothing => Self::Perhaps(data.to_owned()),
            asked => asked,
        }
    }
}
