//! Tags of Azure App Services. spec: apm §12.

/// Tags for every span when this process runs in an Azure App Service, as its environment says;
/// none elsewhere.
pub(crate) fn global_tags(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let is_here = ["WEBSITE_STACK", "WEBSITE_APPSERVICEAPPLOGS_TRACE_ENABLED"];
    if !is_here.iter().any(|name| variable(name).is_some()) {
        return Vec::new();
    }
    let of = |name: &str| variable(name).filter(|value| !value.is_empty());
    let subscription = of("WEBSITE_OWNER_NAME")
        .and_then(|owner| owner.split_once('+').map(|(id, _)| id.to_owned()));
    let group = of("WEBSITE_RESOURCE_GROUP").map(|group| group.to_lowercase());
    let site = of("WEBSITE_SITE_NAME");
    let resource = subscription.as_ref().zip(group.as_ref()).zip(site.as_ref()).map(
        |((subscription, group), site)| {
            let id = format!(
                "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.web/\
                 sites/{site}"
            );
            id.to_lowercase()
        },
    );
    let functions = of("FUNCTIONS_EXTENSION_VERSION");
    let (kind, site_type) =
        if functions.is_some() { ("functionapp", "function") } else { ("app", "app") };
    [
        ("aas.environment.instance_id", of("WEBSITE_INSTANCE_ID")),
        ("aas.environment.instance_name", of("COMPUTERNAME").or_else(|| of("HOSTNAME"))),
        ("aas.environment.os", Some(std::env::consts::OS.to_owned())),
        ("aas.environment.runtime", of("WEBSITE_STACK")),
        ("aas.environment.extension_version", of("DD_AAS_EXTENSION_VERSION")),
        ("aas.environment.function_runtime", of("FUNCTIONS_WORKER_RUNTIME")),
        ("aas.resource.group", group),
        ("aas.resource.id", resource),
        ("aas.site.kind", Some(kind.to_owned())),
        ("aas.site.name", site),
        ("aas.site.type", Some(site_type.to_owned())),
        ("aas.subscription.id", subscription),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_exist_in_app_services_alone() {
        assert_eq!(global_tags(|_| None), []);
        let tags = global_tags(|name| {
            let value = match name {
                "WEBSITE_STACK" => "NODE",
                "WEBSITE_SITE_NAME" => "Shop",
                "WEBSITE_OWNER_NAME" => "1234+westeurope",
                "WEBSITE_RESOURCE_GROUP" => "Web",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let of = |key: &str| tags.iter().find(|(held, _)| held == key).map(|(_, value)| &**value);
        assert_eq!(of("aas.subscription.id"), Some("1234"));
        assert_eq!(
            of("aas.resource.id"),
            Some("/subscriptions/1234/resourcegroups/web/providers/microsoft.web/sites/shop")
        );
        assert_eq!((of("aas.site.kind"), of("aas.environment.instance_id")), (Some("app"), None));
    }
}
