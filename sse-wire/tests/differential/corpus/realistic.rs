//! Streams as servers send them.

use super::{Case, case, comment, event, message, retry};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "an answer in tokens",
            concat!(
                r#"data: {"id":"c1","choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                "\n\n",
                r#"data: {"id":"c1","choices":[{"delta":{"content":"It is 20 \u00b0C, "}}]}"#,
                "\n\n",
                r#"data: {"id":"c1","choices":[{"delta":{"content":"mon ami: ça va 😀"}}]}"#,
                "\n\ndata: [DONE]\n\n",
            ),
            [
                r#"{"id":"c1","choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"id":"c1","choices":[{"delta":{"content":"It is 20 \u00b0C, "}}]}"#,
                r#"{"id":"c1","choices":[{"delta":{"content":"mon ami: ça va 😀"}}]}"#,
                "[DONE]",
            ]
            .map(message),
        ),
        case(
            "an answer with types and pings",
            "event: start\ndata: {\"type\":\"start\"}\n\nevent: ping\ndata: {}\n\n\
             event: delta\ndata: {\"text\":\"Hi\"}\n\nevent: stop\ndata: {}\n\n",
            [
                event("", "start", "{\"type\":\"start\"}"),
                event("", "ping", "{}"),
                event("", "delta", "{\"text\":\"Hi\"}"),
                event("", "stop", "{}"),
            ],
        ),
        case(
            "ticks",
            "id: k3-1\nevent: tick\ndata: 101.25\n\nid: k3-2\nevent: tick\ndata: 101.5\n\n\
             id: k3-3\nevent: tick\ndata: 99\n\n",
            [
                event("k3-1", "tick", "101.25"),
                event("k3-2", "tick", "101.5"),
                event("k3-3", "tick", "99"),
            ],
        ),
        case(
            "ticks in CRLF, with keep-alive",
            ": connected\r\nretry: 3000\r\n\r\nid: 1\r\nevent: tick\r\ndata: 1\r\n\r\n:\r\n\r\n\
             id: 2\r\nevent: tick\r\ndata: 2\r\n\r\n",
            [
                comment("connected"),
                retry(3000),
                event("1", "tick", "1"),
                comment(""),
                event("2", "tick", "2"),
            ],
        ),
        case(
            "ticks in CR",
            "id: 1\revent: tick\rdata: 1\r\r:\rid: 2\revent: tick\rdata: 2\r\r",
            [
                event("1", "tick", "1"),
                comment(""),
                event("2", "tick", "2"),
            ],
        ),
        case(
            "a page of several lines",
            "event: patch\ndata: <ul>\ndata:   <li>One</li>\ndata:\ndata: </ul>\n\n",
            [event("", "patch", "<ul>\n  <li>One</li>\n\n</ul>")],
        ),
        case(
            "what these crates send",
            ":\nid: 1\nevent: note\nretry: 1000\ndata: a\n\nevent: gap\ndata:\n\n:\n:\ndata: b\n\n",
            [
                comment(""),
                retry(1000),
                event("1", "note", "a"),
                event("1", "gap", ""),
                comment(""),
                comment(""),
                event("1", "message", "b"),
            ],
        ),
        case(
            "a mark, then Japanese",
            "\u{feff}data: こんにちは\n\nid: 東京\ndata: さようなら\n\n",
            [
                message("こんにちは"),
                event("東京", "message", "さようなら"),
            ],
        ),
    ]
}
