//! The page of a server with tokens: it asks for one, says what is wrong with it, keeps it for the tab, and asks again when the
//! server does not take it any more.

use std::sync::Arc;
use std::time::Duration;

use edge_server::http::{Server, Tables, Tokens};
use edge_server::source::{self, Table};

use crate::cdp::{Browser, Page};
use crate::common::{Served, sample};
use crate::drive::{VIEWER, loaded, pictures, screenshots};

const TOKEN: &str = "first-first-first-first";
const NEXT: &str = "next-next-next-next-next";
const WRITES: &str = "feed-feed-feed-feed-feed";
const BOX: &str = "document.querySelector('#signin')";

fn sign_in(page: &mut Page, token: &str) {
    page.wait_for(&format!("{BOX}?.open"));
    page.eval(&format!("{BOX}.querySelector('#token').select()"));
    page.type_text(token);
    page.press("Enter", 13, 0);
}

fn told(page: &mut Page, text: &str) {
    page.wait_for(&format!("{BOX}?.querySelector('[role=alert]').textContent.includes('{text}')"));
}

#[test]
fn a_token_is_asked_for_kept_and_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.txt");
    std::fs::write(&file, format!("people:read:{TOKEN}\nfeed:write:{WRITES}\n")).unwrap();
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let tokens = Arc::new(Tokens::open(Some(&file), None).unwrap());
    let server = Served::of(Server::new(Tables::try_new(vec![flights]).unwrap()).with_tokens(tokens));
    let browser = Browser::launch();
    let mut page = browser.page(1280, 800);
    page.colour_scheme("light");
    page.goto(&server.url("/"));

    // Asked for, and what is wrong is said.
    page.wait_for(&format!("{BOX}?.open && document.activeElement === {BOX}.querySelector('#token')"));
    pictures(&mut page, "signin");
    page.press("Enter", 13, 0);
    told(&mut page, "Type the token first");
    sign_in(&mut page, "wrong-wrong-wrong-wrong");
    told(&mut page, "does not know this token");
    page.screenshot(&screenshots().join("signin-wrong.png"));
    sign_in(&mut page, WRITES);
    told(&mut page, "is not made to read");
    page.press("Escape", 27, 0);
    assert_eq!(page.eval(&format!("{BOX}.open")), true, "there is nothing behind it");
    assert_eq!(page.eval(&format!("{VIEWER}.state().rowsLoaded")), 0);

    // Taken, and kept for this tab alone.
    sign_in(&mut page, TOKEN);
    loaded(&mut page);
    assert_eq!(page.eval(&format!("{BOX}.open")), false);
    assert_eq!(page.eval("document.querySelector('nav').textContent"), "flights");
    page.screenshot(&screenshots().join("signin-taken.png"));
    page.goto(&server.url("/?again"));
    loaded(&mut page);
    assert_eq!(
        page.eval(&format!("{BOX}.open || Object.keys(localStorage).some(key => key.includes('token'))")),
        false
    );

    // Not taken any more: asked for again, and the load goes on.
    std::fs::write(&file, format!("people:read:{NEXT}\n")).unwrap();
    std::thread::sleep(Duration::from_millis(2_500));
    page.eval(&format!("void {VIEWER}.load({VIEWER}.src)"));
    told(&mut page, "does not take this token any more");
    page.screenshot(&screenshots().join("signin-again.png"));
    sign_in(&mut page, NEXT);
    loaded(&mut page);

    // Forgotten when asked to.
    page.click_on("document.querySelector('#signout').getBoundingClientRect()", 0);
    page.wait_for(&format!("{BOX}?.open && !sessionStorage.length"));
}

#[test]
fn a_page_of_its_own_brings_the_token_as_a_property() {
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let tokens = Arc::new(Tokens::open(None, Some(TOKEN)).unwrap());
    let server = Served::of(Server::new(Tables::try_new(vec![flights]).unwrap()).with_tokens(tokens));
    let browser = Browser::launch();
    let mut page = browser.page(800, 600);
    page.goto(&server.url("/health"));
    // The page of another server would name an origin; what it does with the element is the same.
    page.goto(&server.url("/"));
    page.wait_for(&format!("{BOX}?.open"));
    for token in [format!("'{TOKEN}'"), format!("async () => '{TOKEN}'")] {
        page.eval(&format!(
            "{BOX}.close(), {VIEWER}.remove(), document.querySelector('main').innerHTML = '<bodkin-table></bodkin-table>', \
             {VIEWER}.token = {token}, {VIEWER}.setAttribute('src', '/v1/tables/flights/data'), 0"
        ));
        loaded(&mut page);
    }
    page.eval(&format!("{VIEWER}.token = null, void {VIEWER}.load({VIEWER}.src)"));
    page.wait_for(&format!("{VIEWER}.state().error?.status === 401"));
}
