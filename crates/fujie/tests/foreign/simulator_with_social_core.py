"""social-auth-core as an application that signs somebody in with PROVIDER, which the simulator at BASE plays. GitHub's
address is a setting, as for an Enterprise Server; for the others a subclass changes the host and nothing else.

Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody."""

import json
import os
import re
from urllib.parse import parse_qsl, urlsplit

from social_core.backends.github_enterprise import GithubEnterpriseOAuth2
from social_core.backends.qq import QQOAuth2
from social_core.backends.weibo import WeiboOAuth2
from social_core.backends.weixin import WeixinOAuth2
from social_core.exceptions import SocialAuthBaseException
from social_core.storage import BaseStorage, NonceMixin
from social_core.strategy import BaseStrategy

BASE = os.environ["BASE"]
CLIENT = {"KEY": os.environ["CLIENT_ID"], "SECRET": os.environ["CLIENT_SECRET"]}
SETTINGS = {**CLIENT, "URL": BASE, "API_URL": f"{BASE}/api/v3"}
session, nonces, came_back = {}, set(), {}


class Storage(BaseStorage):
    class nonce(NonceMixin):
        use = classmethod(lambda _, *nonce: nonces.add(nonce) is None)
        consume = classmethod(lambda _, *nonce: nonces.discard(nonce) is None)


class Strategy(BaseStrategy):
    get_setting = lambda _, name: SETTINGS[name.removeprefix("SOCIAL_AUTH_")]
    get_pipeline = lambda *_: ["social_core.pipeline.social_auth.social_details", "__main__.seen"]
    request_data = lambda _, merge=True: came_back
    build_absolute_uri = lambda _, path: path
    session_get = lambda _, name, default=None: session.get(name, default)
    session_set = lambda _, name, value: session.update({name: value})
    session_pop = lambda _, name: session.pop(name, None)


def moved(library):
    here = lambda url: re.sub("^https://[^/]+", BASE, url)
    request = lambda self, url, *values, **named: library.request(self, here(url), *values, **named)
    own = {"AUTHORIZATION_URL": here(library.AUTHORIZATION_URL), "request": request}
    return type(library.__name__, (library,), own)


def seen(backend, details, response, **_):
    return backend.get_user_id(details, response), details["username"]


backends = {"wechat": WeixinOAuth2, "qq": QQOAuth2, "weibo": WeiboOAuth2, "github": GithubEnterpriseOAuth2}
library = backends[os.environ["PROVIDER"]]
Backend = library if library is GithubEnterpriseOAuth2 else moved(library)
backend = Backend(Strategy(Storage), os.environ["REDIRECT_URI"])
print(backend.auth_url(), flush=True)
came_back.update(parse_qsl(urlsplit(input()).query))
try:
    subject, nickname = backend.complete()
    print(json.dumps({"subject": str(subject), "nickname": nickname}))
except SocialAuthBaseException as error:
    print(json.dumps({"error": type(error).__name__, "said": f"{error.provider_code or error.code} {error.detail}"}))
