//! The entries of the configuration, and which of them serves a request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::Extensions;
use moonshot_config::{config::Config, names::Names};
use tower_moonshot::{ApiKey, Region, TargetModel};

use super::route::Route;

/// All configured names.
#[derive(Debug)]
pub(crate) struct Entries {
    names: Names<Name>,
    /// The upstream that all entries share, if they do.
    only: Option<Upstream>,
    /// Whether no request's body has any influence on its upstream and model.
    is_one_for_all: bool,
    /// Whether there is no file, so that a route may name any region.
    is_open: bool,
}

/// A name and its entries, which take turns.
#[derive(Debug)]
struct Name {
    label: Arc<str>,
    entries: Vec<Entry>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    entry: moonshot_config::config::Entry,
    upstream: Upstream,
}

/// Where requests are sent, and with which key.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    region: Region,
    api_key: Option<ApiKey>,
    /// The base URL, in logs.
    pub(crate) base: Arc<str>,
}

/// The entry for one request.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The configured name, a label of the metrics.
    pub(crate) label: Arc<str>,
    pub(crate) upstream: Upstream,
    target: Option<TargetModel>,
}

impl Entries {
    pub(crate) fn new(config: &Config) -> Self {
        let mut names: Vec<Name> = Vec::new();
        for entry in &config.entries {
            let upstream = Upstream {
                region: entry.region.clone(),
                api_key: entry.api_key.clone(),
                base: entry.region.base_url().to_string().into(),
            };
            let found = names.iter_mut().find(|name| *name.label == *entry.name);
            let entry = Entry {
                entry: entry.clone(),
                upstream,
            };
            match found {
                Some(name) => name.entries.push(entry),
                None => names.push(Name {
                    label: entry.entry.name.as_str().into(),
                    entries: vec![entry],
                    next: AtomicUsize::new(0),
                }),
            }
        }
        let mut all = names.iter().flat_map(|name| &name.entries);
        let first = all.next();
        let only = first.filter(|first| all.all(|other| other.upstream.is(&first.upstream)));
        let is_one_for_all = only.is_some()
            && matches!(&config.entries[..], [one] if one.name == "*" && one.model == "*");
        let only = only.map(|entry| entry.upstream.clone());
        let names = names.into_iter();
        Self {
            only,
            is_one_for_all,
            is_open: config.is_open,
            names: Names::new(names.map(|name| (name.label.to_string(), name))),
        }
    }

    /// # Errors
    ///
    /// No entry can serve the requests of this route.
    pub(crate) fn check(&self, route: &Route) -> Result<(), String> {
        let mut named = self.names.values().filter(|name| name.is_of(route));
        if named.any(|name| self.is_open || name.entries_of(route).next().is_some()) {
            return Ok(());
        }
        let entry = route.entry.as_ref();
        let entry = entry.map(|entry| format!("named {entry:?}"));
        let region = route.region.as_ref();
        let region = region.map(|region| format!("in the region {region}"));
        let both = [entry, region].into_iter().flatten();
        Err(format!(
            "no entry of the configuration is {}",
            both.collect::<Vec<_>>().join(" and ")
        ))
    }

    /// Returns the upstream that all entries for a route share, for requests without a
    /// model.
    pub(crate) fn only(&self, route: &Route) -> Option<Upstream> {
        if route.is_for_all() {
            return self.only.clone();
        }
        if self.is_open {
            let only = self.only.as_ref()?;
            return Some(match &route.region {
                Some(region) if *region != only.region => Upstream::without_key(region),
                _ => only.clone(),
            });
        }
        let names = self.names.values().filter(|name| name.is_of(route));
        let mut all = names.flat_map(|name| name.entries_of(route));
        let first = all.next()?;
        let is_shared = all.all(|other| other.upstream.is(&first.upstream));
        is_shared.then(|| first.upstream.clone())
    }

    /// Whether the model of a request makes no difference, so that its body need not be
    /// looked into.
    pub(crate) const fn is_one_for_all(&self) -> bool {
        self.is_one_for_all
    }

    /// Chooses the entry for a model; `None` if none is configured for it and the route.
    pub(crate) fn choose(&self, asked: &str, route: &Route) -> Option<Choice> {
        let serves = |name: &Name| name.entries_of(route).next().is_some();
        let name = match &route.entry {
            None => self.names.find_where(asked, serves)?,
            Some(_) => self.names.values().find(|name| name.is_of(route))?,
        };
        let count = name.entries_of(route).count();
        let turn = name.next.fetch_add(1, Ordering::Relaxed);
        let Entry { entry, upstream } = name.entries_of(route).nth(turn.checked_rem(count)?)?;
        let target = match entry.target(asked) {
            // The part that matches `*` is empty, and so is the id.
            Some(model) => Some(TargetModel::new(model).ok()?),
            None => None,
        };
        Some(Choice {
            label: Arc::clone(&name.label),
            upstream: upstream.clone(),
            target,
        })
    }
}

impl Name {
    fn is_of(&self, route: &Route) -> bool {
        let entry = route.entry.as_deref();
        entry.is_none_or(|entry| *self.label == *entry)
    }

    /// The entries in the region of a route.
    fn entries_of(&self, route: &Route) -> impl Iterator<Item = &Entry> {
        let region = route.region.as_ref();
        let is_in =
            move |entry: &&Entry| region.is_none_or(|region| entry.upstream.region == *region);
        self.entries.iter().filter(is_in)
    }
}

impl Upstream {
    /// A region whose key nobody has configured: the client's own key is forwarded.
    fn without_key(region: &Region) -> Self {
        Self {
            region: region.clone(),
            api_key: None,
            base: region.base_url().to_string().into(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.region == other.region && self.api_key == other.api_key
    }

    /// Tells the layer, in the extensions of a request, where to send it.
    pub(crate) fn direct(&self, extensions: &mut Extensions) {
        extensions.insert(self.region.clone());
        if let Some(key) = &self.api_key {
            extensions.insert(key.clone());
        }
    }
}

impl Choice {
    /// Tells the layer, in the extensions of a request, where to send it and for which
    /// model.
    pub(crate) fn direct(&self, extensions: &mut Extensions) {
        self.upstream.direct(extensions);
        if let Some(target) = &self.target {
            extensions.insert(target.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Entries {
        Entries::new(&Config::parse(text.as_bytes(), &|_| None).unwrap())
    }

    fn target(choice: &Choice) -> Option<String> {
        choice.target.as_ref().map(|target| format!("{target:?}"))
    }

    #[test]
    fn entries_of_a_name_take_turns_and_stars_carry_over() {
        let entries = entries(
            "model_list:
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_base: 'https://a.test/v1'}}
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_base: 'https://b.test/v1'}}
- {model_name: my-*, litellm_params: {model: moonshot/*, api_base: 'https://a.test/v1'}}",
        );
        let all = Route::default();
        assert!(entries.only(&all).is_none() && !entries.is_one_for_all());
        let bases = [(); 3].map(|()| entries.choose("fast", &all).unwrap().upstream.base);
        assert_eq!(
            bases,
            [
                "https://a.test/v1",
                "https://b.test/v1",
                "https://a.test/v1"
            ]
            .map(Arc::from)
        );
        let choice = entries.choose("my-kimi-k2", &all).unwrap();
        assert!(target(&choice).unwrap().contains("kimi-k2"));
        assert!(entries.choose("my-", &all).is_none());
        assert!(entries.choose("gpt-4", &all).is_none());
    }

    #[test]
    fn an_upstream_that_all_share_serves_what_has_no_model() {
        let two = "model_list:
- {model_name: a, litellm_params: {model: moonshot/a, api_key: sk-a}}
- {model_name: b, litellm_params: {model: moonshot/b, api_key: sk-";
        assert!(
            entries(&format!("{two}a}}}}"))
                .only(&Route::default())
                .is_some()
        );
        assert!(
            entries(&format!("{two}b}}}}"))
                .only(&Route::default())
                .is_none()
        );
        let one = entries("model_list: [{model_name: '*', litellm_params: {model: moonshot/*}}]");
        assert!(one.is_one_for_all());
        assert!(target(&one.choose("x", &Route::default()).unwrap()).is_some());
    }

    fn route(region: Option<&str>, entry: Option<&str>) -> Route {
        Route {
            region: region.map(|region| region.parse().unwrap()),
            entry: entry.map(str::to_owned),
            ..Route::default()
        }
    }

    #[test]
    fn a_route_restricts_the_entries_to_a_region_or_a_name() {
        let entries = entries(
            "model_list:
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_key: sk-g}}
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_key: sk-c, api_base: 'https://api.moonshot.cn/v1'}}
- {model_name: slow, litellm_params: {model: moonshot/kimi-k2, api_key: sk-g}}
- {model_name: team/*, litellm_params: {model: moonshot/*, api_key: sk-t, api_base: 'https://team.test/v1'}}",
        );
        let base = |choice: Option<Choice>| choice.map(|choice| choice.upstream.base.to_string());
        let china = Some("https://api.moonshot.cn/v1".to_owned());
        let team = Some("https://team.test/v1".to_owned());

        let in_china = route(Some("china"), None);
        assert_eq!(entries.check(&in_china), Ok(()));
        // Only one has a turn.
        for _ in 0..3 {
            assert_eq!(base(entries.choose("fast", &in_china)), china);
        }
        assert!(entries.choose("slow", &in_china).is_none());
        let only = entries.only(&in_china).unwrap();
        assert_eq!(Some(only.base.to_string()), china);
        assert!(entries.only(&route(Some("global"), None)).is_some());
        assert!(entries.only(&route(None, Some("fast"))).is_none());

        // Whatever model is asked for.
        let of_team = route(None, Some("team/*"));
        for (asked, id) in [("kimi-k3", None), ("team/kimi-k3", Some("kimi-k3"))] {
            let choice = entries.choose(asked, &of_team).unwrap();
            assert_eq!(&*choice.label, "team/*");
            match id {
                Some(id) => assert!(target(&choice).unwrap().contains(id)),
                None => assert_eq!(target(&choice), None),
            }
            assert_eq!(base(Some(choice)), team);
        }
        let slow = entries.choose("gpt-4", &route(None, Some("slow"))).unwrap();
        assert!(target(&slow).unwrap().contains("kimi-k2"));

        for (region, entry, problem) in [
            (Some("kimi-code"), None, "in the region kimi-code"),
            (None, Some("fas"), "named \"fas\""),
            (
                Some("china"),
                Some("slow"),
                "named \"slow\" and in the region china",
            ),
        ] {
            let expected = format!("no entry of the configuration is {problem}");
            assert_eq!(entries.check(&route(region, entry)), Err(expected));
        }
    }

    #[test]
    fn without_a_file_a_route_names_any_region_and_keys_stay_in_theirs() {
        let config = Config::from_env(&|name| match name {
            "MOONSHOT_API_KEY" => Some("sk-global".to_owned()),
            _ => None,
        });
        let entries = Entries::new(&config.unwrap());
        for (region, has_key) in [
            ("global", true),
            ("china", false),
            ("https://x.test", false),
        ] {
            let route = route(Some(region), None);
            assert_eq!(entries.check(&route), Ok(()));
            let upstream = entries.only(&route).unwrap();
            assert_eq!(upstream.region, region.parse().unwrap());
            assert_eq!(upstream.api_key.is_some(), has_key, "{region}");
        }
        assert!(entries.check(&route(None, Some("fast"))).is_err());
        assert_eq!(entries.check(&route(None, Some("*"))), Ok(()));
    }
}
