"""Keys for programs: one's own on the settings, those of a service account on its page among people; shown once."""

from __future__ import annotations

from starlette.responses import Response

from chassis.access import ADMINISTER, CONFIGURE
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators
from gateway.web.mounting import Page
from gateway.web.rights_words import action_words
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

MOST_KEYS = 200
NEVER = (ADMINISTER, CONFIGURE)  # no program gets these, see IssueApiKey
DAYS = (7, 30, 90, 180, 366)
USUAL_DAYS = 90


def show_keys(visit: Visit) -> Response:
    """The keys that are good, and the form of a new one."""
    user_id = visit.path.get("user", "")
    asked = pb.ListApiKeysRequest(user_id=user_id, page_size=MOST_KEYS)
    keys = visit.call("directory", "ListApiKeys", asked).api_keys
    user = visit.call("directory", "GetUser", pb.GetUserRequest(user_id=user_id)).user
    words = {name: said for name, said in action_words().items() if name not in NEVER}
    return visit.render(
        "settings/keys.html",
        help="api-keys",
        keys=keys,
        user=user,
        base=_base(visit),
        words=words,
        days=[(str(one), _("%(num)s days") % {"num": one}) for one in DAYS],
        usual_days=str(USUAL_DAYS),
    )


def issue_key(visit: Visit) -> Response:
    """Issue a key; its secret is on this answer and nowhere else."""
    days = visit.field("days")
    asked = pb.IssueApiKeyRequest(
        user_id=visit.path.get("user", ""),
        name=visit.field("name"),
        scopes=[one for one in visit.form.getlist("scopes") if isinstance(one, str)],
        days=int(days) if days in map(str, DAYS) else USUAL_DAYS,
    )
    made = visit.call("directory", "IssueApiKey", asked)
    return visit.render("settings/key_issued.html", key=made.api_key, secret=made.secret, base=_base(visit))


def end_key(visit: Visit) -> Response:
    """End a key; programs that use it are out within half a minute."""
    visit.call("directory", "EndApiKey", pb.EndApiKeyRequest(api_key_id=visit.path["api_key"]))
    return visit.go(_base(visit))


def _base(visit: Visit) -> str:
    """Where the keys of this page are."""
    user_id = visit.path.get("user", "")
    return f"/admin/people/{user_id}/keys" if user_id else "/settings/keys"


PAGES = (
    Page("GET", "/settings/keys", show_keys),
    Page("POST", "/settings/keys", issue_key),
    Page("POST", "/settings/keys/{api_key}/end", end_key),
    Page("GET", "/admin/people/{user}/keys", for_administrators(show_keys)),
    Page("POST", "/admin/people/{user}/keys", for_administrators(issue_key)),
    Page("POST", "/admin/people/{user}/keys/{api_key}/end", for_administrators(end_key)),
)
