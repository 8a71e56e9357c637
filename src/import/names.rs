//! From the names of a file to those of the network.

use std::collections::BTreeMap;

use super::ImportError;
use super::file::Stored;
use crate::model::Network;

/// The tensors under the names that the network has for them. A name of the map stands for a tensor, or for a layer and
/// all that is in it; of several that fit a tensor the longest counts.
pub(super) fn renamed(
    tensors: BTreeMap<String, Stored>,
    names: &BTreeMap<String, String>,
    network: &Network,
) -> Result<BTreeMap<String, Stored>, ImportError> {
    let wrong = |theirs: &str, ours: &str, message: String| ImportError::Name {
        theirs: theirs.to_owned(),
        ours: ours.to_owned(),
        message,
    };
    let known: Vec<String> =
        network.parameters().into_iter().chain(network.running()).map(|tensor| tensor.name).collect();
    for (theirs, ours) in names {
        if !tensors.keys().any(|name| within(name, theirs).is_some()) {
            let message = format!("the file has no tensor `{theirs}` and no layer of that name");
            return Err(wrong(theirs, ours, message));
        }
        if !known.iter().any(|name| within(name, ours).is_some()) {
            let mut layers: Vec<&str> =
                known.iter().filter_map(|name| Some(name.rsplit_once('.')?.0)).collect();
            layers.dedup();
            let message = format!("the network has no layer `{ours}`; it has {}", layers.join(", "));
            return Err(wrong(theirs, ours, message));
        }
    }
    let mut taken: BTreeMap<String, Stored> = BTreeMap::new();
    for (name, tensor) in tensors {
        let fitting = names.iter().filter_map(|(theirs, ours)| Some((theirs, ours, within(&name, theirs)?)));
        let longest = fitting.max_by_key(|(theirs, ..)| theirs.len());
        let new = longest.map_or_else(|| name.clone(), |(_, ours, rest)| format!("{ours}{rest}"));
        if let Some(other) = taken.get(&new) {
            let (theirs, ours) =
                longest.map_or((name.as_str(), new.as_str()), |(theirs, ours, _)| (theirs, ours));
            let message =
                format!("`{}` and `{name}` would both be `{new}`; name one of them otherwise", other.name);
            return Err(wrong(theirs, ours, message));
        }
        taken.insert(new, tensor);
    }
    Ok(taken)
}

/// What follows in a name that is another one or lies in it: `conv1.weight` in `conv1` leaves `.weight`.
fn within<'a>(name: &'a str, outer: &str) -> Option<&'a str> {
    name.strip_prefix(outer).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}
