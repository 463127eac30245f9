//! The resources for Kubernetes, as far as they can be tried without a cluster: what they
//! give to Envoy and to the external processor.

use std::net::SocketAddr;

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    CLIENT_KEY, KEY, envoy, in_time,
    process::{Envoy, ExtProc},
    upstream::{Arrived, Upstream},
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

/// A configuration of Envoy with this filter, and this route for chat requests.
fn configuration(filter: &Value, chat: &Value, processor: &ExtProc, upstream: &Upstream) -> String {
    let cluster = |name: &Value, address: SocketAddr| {
        let socket = json!({"address": "127.0.0.1", "port_value": address.port()});
        json!({
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": {"socket_address": socket}}}]}]},
        })
    };
    let processors = &filter["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"];
    let mut processors = cluster(processors, processor.address);
    processors["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    });
    let other = json!({"match": {"prefix": "/"}, "route": {"cluster": "moonshot"}});
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

/// What Istio makes of its resources: the filter and the route of the `EnvoyFilter`, with
/// clusters of these names.
fn istio(processor: &ExtProc, upstream: &Upstream) -> String {
    let all = resources(ISTIO);
    let patches = &resource(&all, "EnvoyFilter")["spec"]["configPatches"];
    let routes = &resource(&all, "VirtualService")["spec"]["http"];
    let route = &routes[0]["match"][0];
    let chat = json!({
        "name": routes[0]["name"],
        "match": {
            "safe_regex": {"regex": route["uri"]["regex"]},
            "headers": [{"name": ":method", "string_match": {"exact": route["method"]["exact"]}}],
        },
        "route": {"cluster": "moonshot", "timeout": "0s"},
        "typed_per_filter_config": patches[1]["patch"]["value"]["typed_per_filter_config"],
    });
    configuration(&patches[0]["patch"]["value"], &chat, processor, upstream)
}

/// What Envoy Gateway makes of its resources. Its filter is for one route only, and has no
/// `mutation_rules`, so that the host cannot be changed: the route does that.
fn envoy_gateway(processor: &ExtProc, upstream: &Upstream) -> String {
    let all = resources(ENVOY_GATEWAY);
    let policy = &resource(&all, "EnvoyExtensionPolicy")["spec"]["extProc"][0];
    let backend = &policy["backendRefs"][0];
    let name = backend["name"].as_str().unwrap();
    let mode = |body: &Value| match body["body"].as_str() {
        Some("FullDuplexStreamed") => "FULL_DUPLEX_STREAMED",
        other => panic!("{other:?}"),
    };
    let modes = &policy["processingMode"];
    let filter = json!({
        "name": "envoy.filters.http.ext_proc",
        "disabled": true,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {
                "cluster_name": "envoyextensionpolicy/default/moonshot/extproc/0",
                "authority": format!("{name}.default:{}", backend["port"]),
            }},
            "failure_mode_allow": policy["failOpen"],
            "message_timeout": policy["messageTimeout"],
            "processing_mode": {
                "request_header_mode": "SEND",
                "request_body_mode": mode(&modes["request"]),
                "request_trailer_mode": "SEND",
                "response_header_mode": "SEND",
                "response_body_mode": mode(&modes["response"]),
                "response_trailer_mode": "SEND",
            },
        },
    });
    let rule = &resource(&all, "HTTPRoute")["spec"]["rules"][0];
    let matched = &rule["matches"][0];
    let chat = json!({
        "match": {
            "prefix": matched["path"]["value"],
            "headers": [{"name": ":method", "string_match": {"exact": matched["method"]}}],
        },
        "route": {
            "cluster": "moonshot",
            "timeout": rule["timeouts"]["request"],
            "host_rewrite_literal": rule["filters"][0]["urlRewrite"]["hostname"],
        },
        "typed_per_filter_config": {"envoy.filters.http.ext_proc": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        }},
    });
    configuration(&filter, &chat, processor, upstream)
}

const HOT: &str = r#"{"model":"moonshot/kimi-k3","temperature":2,"messages":[]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[]}"#;

/// Sends a request, and returns what arrives.
async fn ask(envoy: &Envoy, path: &str, upstream: &Upstream) -> Arrived {
    let request = Client::new()
        .post(envoy.url(path))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {CLIENT_KEY}"))
        .body(HOT);
    assert_eq!(in_time(request.send()).await.unwrap().status(), 200);
    let arrived = upstream.take().pop().unwrap();
    assert_eq!(arrived.parts.uri.path(), path);
    arrived
}

#[tokio::test]
async fn istios_filter_and_route_rewrite_chat_requests_in_a_real_envoy() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let envoy = Envoy::start(&program, &istio(&processor, &upstream)).await;
    for (path, sent) in [
        ("/v1/chat/completions", REWRITTEN),
        ("/v1/tokenizers/estimate-token-count", HOT),
    ] {
        let arrived = ask(&envoy, path, &upstream).await;
        assert_eq!(arrived.body, sent);
        let headers = &arrived.parts.headers;
        assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
        assert_eq!(headers["host"], upstream.address.to_string());
    }
}

#[tokio::test]
async fn envoy_gateways_filter_and_route_rewrite_chat_requests_in_a_real_envoy() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let processor = ExtProc::start(upstream.address, &[]).await;
    let envoy = Envoy::start(&program, &envoy_gateway(&processor, &upstream)).await;
    let arrived = ask(&envoy, "/v1/chat/completions", &upstream).await;
    assert_eq!(arrived.body, REWRITTEN);
    let headers = &arrived.parts.headers;
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(headers["host"], "api.moonshot.ai");
    // The filter is for chat requests only.
    let arrived = ask(&envoy, "/v1/models", &upstream).await;
    assert_eq!(arrived.body, HOT);
    let key = &arrived.parts.headers["authorization"];
    assert_eq!(key, &format!("Bearer {CLIENT_KEY}"));
}
