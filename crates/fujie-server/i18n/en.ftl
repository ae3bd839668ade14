### The words of the pages in English. Every key and variable stands in zh.ftl too; a test compares.

## Around every page

shell-demo = Demonstration: WeChat and the others are simulated here. Do not type a real password.
shell-language = Language

## Providers

provider-wechat = WeChat
provider-qq = QQ
provider-weibo = Weibo
provider-github = GitHub
provider-gitee = Gitee
provider-dingtalk = DingTalk
provider-feishu = Feishu
provider-wecom = WeCom
provider-douyin = Douyin
provider-alipay = Alipay
provider-baidu = Baidu
provider-google = Google
provider-microsoft = Microsoft
provider-apple = Apple
provider-gitlab = GitLab
provider-discord = Discord
provider-glyph-wechat = We
provider-glyph-qq = QQ
provider-glyph-weibo = Wb
provider-glyph-github = GH
provider-glyph-gitee = Gi
provider-glyph-dingtalk = DT
provider-glyph-feishu = Fs
provider-glyph-wecom = WC
provider-glyph-douyin = Dy
provider-glyph-alipay = Al
provider-glyph-baidu = Bd
provider-glyph-google = Go
provider-glyph-microsoft = Ms
provider-glyph-apple = Ap
provider-glyph-gitlab = GL
provider-glyph-discord = Di
method-password = password

## Permissions

scope-openid = Know that it is you, by an identifier
scope-profile = See your nickname and public profile
scope-email = See your e-mail address
scope-offline-access = Keep this access while you are away, until you take it back
scope-read-contacts = Read your contacts
scope-other = Use the permission “{ $scope }”

## Signing in

sign-in-title = Sign in
sign-in-title-client = Sign in to { $client }
sign-in-attach-title = Sign in to connect
sign-in-attach = Sign in to the account that { $provider } “{ $nickname }” should be connected with. You will be asked once more before anything is connected.
sign-in-unbind = To remove a way to sign in, sign in again first.
sign-in-with = Continue with { $provider }
sign-in-or = or
sign-in-username = User name
sign-in-password = Password
sign-in-submit = Sign in
sign-in-none = No way to sign in has been set up here yet. Please tell the people who run this server.
sign-in-error-bad-password = The user name and password do not match.
sign-in-error-to-password = Try the password again
sign-in-error-too-many = There were too many attempts. Please wait a few minutes and try again.
sign-in-error-provider-refused = { $provider } sign-in was refused or cancelled. You can try again, or choose another way.
sign-in-error-provider-failed = { $provider } did not answer as it should. Please try again in a moment, or choose another way.
sign-in-error-provider-provisional = { $provider } is showing this page in preview mode and did not say who you are. Tap “Use full service” at the bottom of the screen, then sign in again.
sign-in-error-expired = That took too long, so the sign-in expired. Please start again.
sign-in-error-flow-lost = This sign-in was started in another browser or window. Please start again here.

## The provider's page inside ours

embedded-title = Sign in with { $provider }
embedded-what = Scan the code with { $provider } on your phone, then confirm there.
embedded-waiting = The code is loading. If it does not appear, open the full page.
embedded-full = Open the full page instead
embedded-other = Sign in another way
to-top-title = Signing you in

## A new third-party identity

bind-title = First time here with { $provider }
bind-who = You signed in with { $provider } as “{ $nickname }”. It does not belong to any account here yet.
bind-then-client = Choose how to go on; then you return to { $client }.
bind-create = Create an account
bind-create-says = Nothing to fill in. From now on one tap signs you in.
bind-attach = I already have an account
bind-attach-says = Sign in to it once, and { $provider } is added as another way in.
bind-cancel = Cancel
bind-cancel-says = Nothing is created or connected.
bind-confirm-title = Connect { $provider } with your account?
bind-confirm-question = { $provider } “{ $nickname }” will be connected with the account “{ $account }”.
bind-confirm-says = From then on, whoever can sign in to this { $provider } account can also sign in here. Go on only if both are yours.
bind-confirm-yes = Connect
bind-confirm-no = Cancel

## Consent

consent-title = { $client } asks for access
consent-host = After your answer you go on to { $host }.
consent-public = { $client } runs on a device or in a browser and cannot prove that it is genuine. Allow it only if you have just started it yourself.
consent-may = It would be able to
consent-nothing = It asks for no particular permission.
consent-not-shared = Your password is never shared, nor are the third-party accounts you sign in with.
consent-allow = Allow
consent-deny = Deny
consent-account = You are signed in as “{ $account }”.
consent-other-account = Use another account
consent-revoke = You can take this back on your account page at any time.

## Signing out

sign-out-title = Sign out?
sign-out-question = You are signed in as “{ $account }”.
sign-out-asked = { $client } asks to sign you out. You are signed in as “{ $account }”.
sign-out-says = Applications that rely on this sign-in lose their access too.
sign-out-submit = Sign out
sign-out-stay = Stay
signed-out-title = You are signed out
signed-out-what = On a shared computer, sign out of WeChat, QQ and the like there too, and close the browser.
signed-out-again = Sign in again

## The account page

account-title = Your account
account-name = Account: { $account }
account-administrator = Administrator
account-identities = Ways to sign in
account-identities-none = No third-party account is connected.
account-bound-at = Connected
account-unbind = Remove
account-unbind-name = Remove { $provider } { $nickname }
account-applications = Applications with access
account-applications-none = No application has access to your account.
account-since = Since
account-revoke = Take back
account-revoke-client = Take back the access of { $client }
account-ended-code-replayed = Access ended: a one-time code was used twice, so someone may have intercepted it. Sign in to the application again; if this happens often, tell its developer.
account-ended-refresh-reused = Access ended: an outdated key was used again, so someone may have copied it. Sign in to the application again if you still use it.
account-ended-revoked = You took this access back.
account-ended-revoked-by-client = The application gave its access back.
account-ended-signed-out = Access ended when you signed out.
account-ended-expired = Access expired.
account-ended-administrator = An administrator ended this access.
account-ended-other = Access ended.
account-sessions = Where you are signed in
account-session-current = This browser
account-session-how = With { $methods }
account-sign-out = Sign out here

## Removing a way to sign in

unbind-title = Remove { $provider }?
unbind-title-last = { $provider } has to stay
unbind-what = Afterwards you can no longer sign in to the account “{ $account }” with:
unbind-joined = To { $provider } these are one person, so they can only be removed together.
unbind-sessions = Browsers that signed in with it are signed out.
unbind-this-session = Browsers that signed in with it are signed out, this one too.
unbind-applications = Applications that rely on those sign-ins lose their access.
unbind-leave = This server forgets the permission that you gave it at { $provider }. To manage webhooks there, connect again.
unbind-submit = Remove
unbind-keep = Keep it
unbind-last = This is the only way to sign in to the account “{ $account }”. Without it, nobody could sign in any more.
unbind-last-do = Add another way first: sign in with another third-party account and choose “I already have an account”.
unbind-last-add = Add another
unbind-back = Back

## The first administrator

setup-title = Set up the first administrator
setup-what = This account will run the server. The link that brought you here works once.
setup-password-says = At least { $minimum } characters. A few words in a row are easy to remember and hard to guess.
setup-password-repeat = Password, once more
setup-submit = Create the administrator
setup-error-username-invalid = This user name cannot be used. Try letters, digits, dots and hyphens.
setup-error-username-taken = This user name is taken.
setup-error-password-too-short = The password is too short.
setup-error-password-too-long = The password is too long.
setup-error-passwords-differ = The two passwords differ.

## The way back by POST

form-post-title = Returning to { $client }
form-post-what = If nothing happens, press the button.
form-post-submit = Continue

## Errors

error-developer = For developers
error-reference = Reference
error-to-account = Go to your account
error-requested = The request says
error-registered = Registered
error-registered-none = No redirect URI is registered.
error-in-request = Request
error-in-registered = Registered
error-absent = (absent)
error-differs-scheme = Only the scheme differs:
error-differs-host = The host differs:
error-differs-port = The port differs:
error-differs-path = The path differs (a slash at the end counts):
error-differs-query = The query differs:
error-differs-fragment = A redirect URI may not have a fragment:

error-redirect-uri-mismatch-title = Cannot return to the application
error-redirect-uri-mismatch-what = The application asked to be answered at an address that it has not registered. To keep your account safe, nothing was sent there.
error-redirect-uri-mismatch-do = You did nothing wrong. Go back to the application, and tell the people who run it if this happens again.
error-redirect-uri-mismatch-mend = Register exactly what the application sends, or send exactly what is registered. Every character counts; only for a loopback address may the port differ.

error-unknown-client-title = This application is not known here
error-unknown-client-what = The application that sent you here is not registered, or has been switched off.
error-unknown-client-do = Go back to the application, and tell the people who run it.
error-unknown-client-mend = Check the client_id for copying mistakes, and that it belongs to this server and not to a test server.

error-invalid-request-title = The request is not valid
error-invalid-request-what = Something in the application’s request is wrong, so signing in cannot begin.
error-invalid-request-do = Go back to the application and try again. If it happens again, tell the people who run it.
error-fault-missing = The parameter { $parameter } is missing.
error-fault-duplicate = The parameter { $parameter } is there more than once.
error-fault-malformed = The parameter { $parameter } is malformed or too long.
error-fault-unsupported = { $parameter } says { $value }, which is not supported or not allowed for this application.
error-fault-pkce-required = PKCE is required: send code_challenge, with code_challenge_method set to S256.
error-fault-unreadable = The request cannot be read. Send it as URL-encoded parameters.

error-request-too-long-title = The request is too long
error-request-too-long-what = The application’s request does not fit into an address, so signing in cannot begin.
error-request-too-long-do = Go back to the application, and tell the people who run it.
error-request-too-long-mend = A request in the address may have { $limit } characters. Send longer ones as a pushed authorization request (PAR, RFC 9126).

error-expired-title = That took too long
error-expired-what = This page was open for so long that the sign-in it belongs to has expired.
error-expired-do = Go back to the application and start again. Nothing is lost.

error-forbidden-title = This form could not be accepted
error-forbidden-what = The form did not come from a page that this browser opened, or you have signed in or out in between.
error-forbidden-do = Go back, reload the page and try again. Cookies must be allowed for this site.

error-account-disabled-title = This account cannot be used
error-account-disabled-what = You proved who you are, but this account has been disabled.
error-account-disabled-do = Please ask the people who run this server.

error-bound-elsewhere-title = Already connected with another account
error-bound-elsewhere-what = Another account here is already connected with this { $provider } account. Nothing was changed.
error-bound-elsewhere-do = Sign in with { $provider } to reach that account.

error-setup-closed-title = This link no longer works
error-setup-closed-what = The link for the first administrator works once and for one hour only.
error-setup-closed-do = If there is an administrator already, sign in. If not, restart the server: it prints a new link.

error-not-found-title = There is nothing here
error-not-found-what = No page exists at this address.
error-not-found-do = Check the address for typing mistakes.

error-method-not-allowed-title = This address cannot be opened like that
error-method-not-allowed-what = The page exists, but it only takes a form that was sent to it.
error-method-not-allowed-do = Go back to the page before and use its buttons.

error-wrong-host-title = Wrong address
error-wrong-host-what = This server does not answer under the address you used.
error-wrong-host-do = Use this address instead:
error-wrong-host-mend = The Host header must be that of the issuer, { $issuer }. Behind a reverse proxy, pass the original Host on.

error-too-many-requests-title = Too many requests
error-too-many-requests-what = Too many requests came from here in a short time.
error-too-many-requests-do = Please wait a few minutes, then try again.

error-unavailable-title = Not available just now
error-unavailable-what = The server cannot answer at the moment. Nothing was changed.
error-unavailable-do = Please wait a moment, then reload the page.

error-internal-title = Something went wrong on our side
error-internal-what = The server made a mistake. It has been noted in the log.
error-internal-do = Please try again. If it happens again, tell the people who run this server the reference below.
