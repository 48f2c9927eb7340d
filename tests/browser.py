"""What the browser tests share: a person who is logged in already, and a look for barriers."""

from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from deepmedix_review.accounts.models import User
from tests.home import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# A slow machine waits longer, and nothing else differs.
expect.set_options(timeout=30_000)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def open_as(user: User, *, context: BrowserContext, url: str) -> Page:
    """A new page of this browser, in which `user` is logged in at `url`."""
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def watch(page: Page) -> list[str]:
    """What the browser complains of from now on, a broken content security policy among it."""
    problems: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems


def check_barriers(page: Page) -> None:
    """Fails by name of the rule where axe-core finds a serious or critical barrier (WCAG 2.2 AA)."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: tags})", RULES)
    serious = [
        (rule["id"], [node["target"] for node in rule["nodes"]])
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == [], serious
