//! The pattern page: every card is run against a server that has everything, and none of them fails; where something is not
//! there, a card says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use edge_server::http::{Server, Tables, Tokens};
use edge_server::live::Store;
use edge_server::source::{self, Table};
use serde_json::Value;

use crate::cdp::{Browser, Page};
use crate::common::{Served, sample};
use crate::drive::screenshots;

const READER: &str = "reader-reader-reader-reader";

fn tables() -> Tables {
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    Tables::try_new(vec![flights]).unwrap().with_files(BTreeMap::from([("flights".to_owned(), sample())]))
}

fn card(id: &str) -> String {
    format!("document.getElementById('p-{id}')")
}

/// How a card stands, what it says, and the values of its lines, once it has been run.
fn outcome(page: &mut Page, id: &str) -> Value {
    let card = card(id);
    page.wait_for(&format!("!['idle', 'running'].includes({card}.dataset.state)"));
    page.eval(&format!(
        "({{state: {card}.dataset.state, said: {card}.querySelector('.state span').textContent, \
         values: [...{card}.querySelectorAll('dd')].map(dd => dd.textContent)}})"
    ))
}

#[test]
fn every_pattern_holds_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::serve(tables().with_live(Store::open(folder.path()).unwrap()).unwrap());
    let browser = Browser::launch();
    let mut page = browser.page(1440, 900);
    page.colour_scheme("light");
    page.goto(&server.url("/"));
    page.wait_for("Boolean(document.querySelector('header a[href=\"/patterns\"]'))");
    page.goto(&server.url("/patterns"));
    page.wait_for("document.querySelectorAll('.card').length > 40");
    page.screenshot(&screenshots().join("patterns-idle.png"));
    let ids = page.eval("[...document.querySelectorAll('.card')].map(card => card.id.slice(2))");
    let ids: Vec<String> = serde_json::from_value(ids).unwrap();
    page.click_on("document.querySelector('#run-all').getBoundingClientRect()", 0);
    for id in &ids {
        let outcome = outcome(&mut page, id);
        assert_eq!(outcome["state"], "passed", "{id}: {}", outcome["said"]);
        let has_digit = |value: &Value| value.as_str().unwrap().contains(|letter: char| letter.is_ascii_digit());
        assert!(outcome["values"].as_array().unwrap().iter().any(has_digit) || id == "W5", "{id}: {outcome}");
        assert!(outcome["said"].as_str().unwrap().len() > 20, "{id}: {outcome}");
    }
    page.wait_for("document.documentElement.dataset.done === 'true'");
    // Nothing is wider than its card.
    let wide = page.eval(
        "[...document.querySelectorAll('.card')].filter(card => card.scrollWidth > card.clientWidth).map(card => card.id)",
    );
    assert_eq!(wide, Value::Array(Vec::new()));
    for scheme in ["light", "dark"] {
        page.colour_scheme(scheme);
        page.screenshot(&screenshots().join(format!("patterns-{scheme}.png")));
    }
    // The tables that cards made for themselves have gone with them.
    let listed = server.get("/v1/tables").json();
    assert_eq!(listed["tables"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn a_card_says_what_is_not_here() {
    let tokens = Arc::new(Tokens::open(None, Some(&format!("people:read:{READER}"))).unwrap());
    let server = Served::of(Server::new(tables()).with_tokens(tokens));
    let browser = Browser::launch();
    let mut page = browser.page(900, 800);
    page.goto(&server.url("/patterns#p-P5"));
    page.wait_for("document.querySelector('#signin')?.open");
    page.type_text(READER);
    page.press("Enter", 13, 0);
    page.wait_for("!document.querySelector('#signin').open");
    for (id, state, said) in [
        ("1.1", "passed", "192,440 B"),
        ("5.2", "passed", "500,000 rows"),
        ("P5", "skipped", "not made to change"),
        ("2.1", "skipped", "not made to change"),
    ] {
        page.eval(&format!("{}.querySelector('.run').click()", card(id)));
        let outcome = outcome(&mut page, id);
        assert_eq!(outcome["state"], state, "{id}: {}", outcome["said"]);
        assert!(outcome["said"].as_str().unwrap().contains(said), "{id}: {}", outcome["said"]);
    }
    page.screenshot(&screenshots().join("patterns-reader.png"));
}
