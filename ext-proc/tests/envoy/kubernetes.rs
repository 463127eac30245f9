//! The resources for Kubernetes, as far as they can be tried without a cluster: what they
//! give to Envoy and to the external processor.

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    CLIENT_KEY, KEY, envoy, in_time,
    process::{Envoy, ExtProc},
    upstream::Upstream,
};

const ISTIO: &str = include_str!("../../kubernetes/istio.yaml");
const ENVOY_GATEWAY: &str = include_str!("../../kubernetes/envoy-gateway.yaml");

/// Where each kind of resource is defined.
const KINDS: [(&str, &str); 12] = [
    ("Secret", "v1"),
    ("Service", "v1"),
    ("Deployment", "apps/v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("Backend", "gateway.envoyproxy.io/v1alpha1"),
    ("EnvoyExtensionPolicy", "gateway.envoyproxy.io/v1alpha1"),
    ("BackendTLSPolicy", "gateway.networking.k8s.io/v1"),
    ("HTTPRoute", "gateway.networking.k8s.io/v1"),
    ("ServiceEntry", "networking.istio.io/v1"),
    ("DestinationRule", "networking.istio.io/v1"),
    ("VirtualService", "networking.istio.io/v1"),
    ("EnvoyFilter", "networking.istio.io/v1alpha3"),
];

fn resources(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn resource(all: &[Value], kind: &str) -> Value {
    let found = all.iter().find(|resource| resource["kind"] == kind);
    found.expect(kind).clone()
}

#[test]
fn resources_have_kinds_and_names_and_refer_to_each_other() {
    for text in [ISTIO, ENVOY_GATEWAY] {
        for resource in resources(text) {
            let kind = resource["kind"].as_str().unwrap();
            let version = KINDS.iter().find(|(known, _)| *known == kind);
            let expected = version.map_or("networking.istio.io/v1", |(_, version)| version);
            assert_eq!(resource["apiVersion"], expected, "{kind}");
            assert!(resource["metadata"]["name"].is_string(), "{kind}");
        }
    }
    let all = resources(ENVOY_GATEWAY);
    let deployment = &resource(&all, "Deployment")["spec"]["template"];
    let service = &resource(&all, "Service")["spec"];
    assert_eq!(service["selector"], deployment["metadata"]["labels"]);
    let container = &deployment["spec"]["containers"][0];
    assert_eq!(
        service["ports"][0]["port"],
        container["ports"][0]["containerPort"]
    );
    let policy = &resource(&all, "EnvoyExtensionPolicy")["spec"];
    let route = &resource(&all, "HTTPRoute")["spec"]["rules"][0];
    assert_eq!(policy["targetRefs"][0]["sectionName"], route["name"]);
    let backend = &policy["extProc"][0]["backendRefs"][0];
    assert_eq!(backend["port"], service["ports"][0]["port"]);

    let all = resources(ISTIO);
    let patches = &resource(&all, "EnvoyFilter")["spec"]["configPatches"];
    let vhost = &patches[1]["match"]["routeConfiguration"]["vhost"];
    let route = &resource(&all, "VirtualService")["spec"]["http"][0];
    assert_eq!(vhost["route"]["name"], route["name"]);
}

/// With the arguments of the Deployment, and the service that its probe asks for.
#[tokio::test]
async fn the_deployment_starts_and_is_ready() {
    let all = resources(ENVOY_GATEWAY);
    let container = &resource(&all, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let arguments: Vec<&str> = container["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap())
        // Nothing outside of this machine may reach it.
        .map(|argument| match argument {
            "0.0.0.0" => "127.0.0.1",
            other => other,
        })
        .collect();
    assert_eq!(arguments[0], "moonshot-ext-proc");
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &arguments[1..]).await;
    let grpc = &container["readinessProbe"]["grpc"];
    assert_eq!(grpc["port"], container["ports"][0]["containerPort"]);
    let url = format!("http://{}", processor.address);
    let channel = tonic::transport::Endpoint::from_shared(url).unwrap();
    let channel = in_time(channel.connect()).await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let check = tonic_health::pb::HealthCheckRequest {
        service: grpc["service"].as_str().unwrap().to_owned(),
    };
    let answer = in_time(health.check(check)).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);
}

/// What Istio would make of its resources: the filter and the route of the `EnvoyFilter`,
/// with clusters of these names.
fn istio(processor: &ExtProc, upstream: &Upstream) -> String {
    let all = resources(ISTIO);
    let patches = &resource(&all, "EnvoyFilter")["spec"]["configPatches"];
    let filter = &patches[0]["patch"]["value"];
    let processors = &filter["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"];
    let routes = resource(&all, "VirtualService")["spec"]["http"].clone();
    let method = &routes[0]["match"][0]["method"]["exact"];
    let path = &routes[0]["match"][0]["uri"]["regex"];
    let cluster = |name: &Value, address: std::net::SocketAddr| {
        let socket = json!({"address": "127.0.0.1", "port_value": address.port()});
        json!({
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": {"socket_address": socket}}}]}]},
        })
    };
    let mut processors = cluster(processors, processor.address);
    processors["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    });
    let to = json!({"cluster": "moonshot", "timeout": "0s"});
    let chat = json!({
        "name": routes[0]["name"],
        "match": {
            "safe_regex": {"regex": path},
            "headers": [{"name": ":method", "string_match": {"exact": method}}],
        },
        "route": to,
        "typed_per_filter_config": patches[1]["patch"]["value"]["typed_per_filter_config"],
    });
    let other = json!({"match": {"prefix": "/"}, "route": to});
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "clients",
        "http_filters": [filter, router],
        "route_config": {"virtual_hosts": [
            {"name": "all", "domains": ["*"], "routes": [chat, other]}]},
    });
    let socket =
        |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let configuration = json!({
        "admin": {"address": socket(0)},
        "static_resources": {
            "listeners": [{"name": "clients", "address": socket(0), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [processors, cluster(&json!("moonshot"), upstream.address)],
        },
    });
    configuration.to_string()
}

#[tokio::test]
async fn istios_filter_and_route_rewrite_chat_requests_in_a_real_envoy() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let envoy = Envoy::start(&program, &istio(&processor, &upstream)).await;
    let ask = async |path: &str, body: &'static str| {
        let request = Client::new()
            .post(envoy.url(path))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {CLIENT_KEY}"))
            .body(body);
        assert_eq!(in_time(request.send()).await.unwrap().status(), 200);
        upstream.take().pop().unwrap()
    };
    let hot = r#"{"model":"moonshot/kimi-k3","temperature":2,"messages":[]}"#;
    for (path, sent) in [
        (
            "/v1/chat/completions",
            r#"{"model":"kimi-k3","messages":[]}"#,
        ),
        ("/v1/tokenizers/estimate-token-count", hot),
    ] {
        let arrived = ask(path, hot).await;
        assert_eq!(arrived.body, sent);
        assert_eq!(arrived.parts.uri.path(), path);
        let key = &arrived.parts.headers["authorization"];
        assert_eq!(key, &format!("Bearer {KEY}"));
        let host = &arrived.parts.headers["host"];
        assert_eq!(host, &upstream.address.to_string());
    }
}
