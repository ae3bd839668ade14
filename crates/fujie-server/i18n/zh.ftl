### 页面上的简体中文文案。每个键和变量都与 en.ftl 一一对应，由测试核对。

## 每页都有的部分

shell-demo = 演示环境：第三方登录均为模拟，请勿输入真实密码。
shell-language = 语言

## 第三方平台

provider-wechat = 微信
provider-qq = QQ
provider-weibo = 微博
provider-github = GitHub
provider-gitee = Gitee
provider-dingtalk = 钉钉
provider-feishu = 飞书
provider-wecom = 企业微信
provider-douyin = 抖音
provider-alipay = 支付宝
provider-baidu = 百度
provider-google = Google
provider-microsoft = Microsoft
provider-apple = Apple
provider-gitlab = GitLab
provider-discord = Discord
provider-glyph-wechat = 信
provider-glyph-qq = QQ
provider-glyph-weibo = 博
provider-glyph-github = GH
provider-glyph-gitee = Gi
provider-glyph-dingtalk = 钉
provider-glyph-feishu = 飞
provider-glyph-wecom = 企
provider-glyph-douyin = 抖
provider-glyph-alipay = 支
provider-glyph-baidu = 百
provider-glyph-google = Go
provider-glyph-microsoft = Ms
provider-glyph-apple = Ap
provider-glyph-gitlab = GL
provider-glyph-discord = Di
method-password = 密码

## 权限

scope-openid = 通过唯一标识确认你的身份
scope-profile = 获取你的昵称和公开资料
scope-email = 获取你的邮箱地址
scope-offline-access = 在你离开后继续保留访问权限，直到你取消授权
scope-read-contacts = 读取你的通讯录
scope-other = 使用“{ $scope }”权限

## 登录

sign-in-title = 登录
sign-in-title-client = 登录到{ $client }
sign-in-attach-title = 登录以完成绑定
sign-in-attach = 请登录要与{ $provider }“{ $nickname }”绑定的账号。绑定之前会再次请你确认。
sign-in-unbind = 解除绑定前，请重新登录以确认是你本人。
sign-in-with = 使用{ $provider }登录
sign-in-or = 或
sign-in-username = 用户名
sign-in-password = 密码
sign-in-submit = 登录
sign-in-none = 这里还没有配置任何登录方式，请联系网站管理员。
sign-in-error-bad-password = 用户名或密码不正确。
sign-in-error-to-password = 重新输入密码
sign-in-error-too-many = 尝试次数过多，请过几分钟再试。
sign-in-error-provider-refused = { $provider }登录已被拒绝或取消。你可以重试，或换一种方式登录。
sign-in-error-provider-failed = { $provider }暂时无法正常响应。请稍后重试，或换一种方式登录。
sign-in-error-provider-provisional = 当前页面由{ $provider }以快照模式打开，无法确认你的身份。请点击屏幕下方的“使用完整服务”，然后重新登录。
sign-in-error-expired = 等待时间过长，本次登录已失效，请重新开始。
sign-in-error-flow-lost = 本次登录是在另一个浏览器或窗口中发起的，请在这里重新开始。

## 嵌在本站页面里的扫码登录

embedded-title = 使用{ $provider }登录
embedded-what = 请用手机{ $provider }扫描二维码，并在手机上确认登录。
embedded-waiting = 二维码正在加载。如果一直没有出现，请打开完整页面。
embedded-full = 打开完整页面
embedded-other = 换一种方式登录
to-top-title = 正在登录

## 首次使用的第三方账号

bind-title = 首次使用{ $provider }登录
bind-who = 你已通过{ $provider }登录，昵称为“{ $nickname }”。它还没有绑定到这里的任何账号。
bind-then-client = 请选择接下来的操作，完成后将返回{ $client }。
bind-create = 创建新账号
bind-create-says = 无需填写任何信息，以后一键即可登录。
bind-attach = 绑定已有账号
bind-attach-says = 登录一次已有账号，即可将{ $provider }添加为登录方式。
bind-cancel = 取消
bind-cancel-says = 不会创建或绑定任何账号。
bind-confirm-title = 要绑定{ $provider }吗？
bind-confirm-question = { $provider }“{ $nickname }”将与账号“{ $account }”绑定。
bind-confirm-says = 绑定后，能登录该{ $provider }账号的人也能登录这里的账号。请确认两者都属于你本人。
bind-confirm-yes = 确认绑定
bind-confirm-no = 取消

## 授权

consent-title = { $client }申请授权
consent-host = 无论同意与否，之后都会前往 { $host }。
consent-public = { $client }运行在设备或浏览器上，无法证明自身真伪。仅当你刚刚亲自启动它时，才应同意授权。
consent-may = 同意后，它可以
consent-nothing = 它没有申请任何具体权限。
consent-not-shared = 你的密码以及用来登录的第三方账号不会透露给它。
consent-allow = 同意
consent-deny = 拒绝
consent-account = 当前登录账号：{ $account }
consent-other-account = 使用其他账号
consent-revoke = 你可以随时在账号页面取消授权。

## 退出登录

sign-out-title = 要退出登录吗？
sign-out-question = 当前登录账号：{ $account }
sign-out-asked = { $client }请求让你退出登录。当前登录账号：{ $account }
sign-out-says = 依赖本次登录的应用也会随之失去访问权限。
sign-out-submit = 退出登录
sign-out-stay = 保持登录
signed-out-title = 你已退出登录
signed-out-what = 如果是公用电脑，请同时退出微信、QQ 等第三方账号，并关闭浏览器。
signed-out-again = 重新登录

## 账号页面

account-title = 我的账号
account-name = 账号：{ $account }
account-administrator = 管理员
account-identities = 登录方式
account-identities-none = 尚未绑定第三方账号。
account-bound-at = 绑定于
account-unbind = 解除绑定
account-unbind-name = 解除绑定{ $provider } { $nickname }
account-applications = 已授权的应用
account-applications-none = 没有应用可以访问你的账号。
account-since = 授权于
account-revoke = 取消授权
account-revoke-client = 取消对{ $client }的授权
account-ended-code-replayed = 授权已终止：一次性授权码被重复使用，可能已被他人截获。请重新登录该应用；如果经常出现，请告知其开发者。
account-ended-refresh-reused = 授权已终止：已失效的凭证被再次使用，可能已被他人复制。如仍需使用该应用，请重新登录。
account-ended-revoked = 你已取消授权。
account-ended-revoked-by-client = 该应用已主动放弃授权。
account-ended-signed-out = 你退出登录后，授权随之终止。
account-ended-expired = 授权已过期。
account-ended-administrator = 授权已被管理员终止。
account-ended-other = 授权已终止。
account-sessions = 登录记录
account-session-current = 当前浏览器
account-session-how = 通过{ $methods }登录
account-sign-out = 退出登录

## 解除绑定

unbind-title = 要解除绑定{ $provider }吗？
unbind-title-last = 暂时无法解除绑定{ $provider }
unbind-what = 解除后，将无法再通过以下方式登录账号“{ $account }”：
unbind-joined = { $provider }将它们视为同一个人，只能一并解除。
unbind-sessions = 通过它登录的浏览器都会退出登录。
unbind-this-session = 通过它登录的浏览器都会退出登录，包括当前浏览器。
unbind-applications = 依赖这些登录的应用也会随之失去访问权限。
unbind-leave = 你在{ $provider }上给本站的授权将被清除，如需继续管理那里的 Webhook，请重新连接。
unbind-submit = 解除绑定
unbind-keep = 暂不解除
unbind-last = 这是登录账号“{ $account }”的唯一方式，解除后将再也无法登录。
unbind-last-do = 请先添加另一种登录方式：用其他第三方账号登录，然后选择“绑定已有账号”。
unbind-last-add = 添加登录方式
unbind-back = 返回

## 首位管理员

setup-title = 创建首位管理员
setup-what = 该账号将用于管理本服务器。你打开的链接只能使用一次。
setup-password-says = 至少 { $minimum } 个字符。用几个词连成一串，既好记又难猜。
setup-password-repeat = 再次输入密码
setup-submit = 创建管理员
setup-error-username-invalid = 该用户名不可用，请使用字母、数字、点或连字符。
setup-error-username-taken = 该用户名已被占用。
setup-error-password-too-short = 密码太短。
setup-error-password-too-long = 密码太长。
setup-error-passwords-differ = 两次输入的密码不一致。

## 以 POST 方式返回应用

form-post-title = 正在返回{ $client }
form-post-what = 如果页面没有自动跳转，请点击下面的按钮。
form-post-submit = 继续

## 错误

error-developer = 开发者信息
error-reference = 错误编号
error-to-account = 前往我的账号
error-requested = 请求中的回调地址
error-registered = 已登记的回调地址
error-registered-none = 尚未登记任何回调地址。
error-in-request = 请求
error-in-registered = 登记
error-absent = （无）
error-differs-scheme = 仅协议不同：
error-differs-host = 主机名不同：
error-differs-port = 端口不同：
error-differs-path = 路径不同（末尾的斜杠也算在内）：
error-differs-query = 查询参数不同：
error-differs-fragment = 回调地址不能带有片段（# 之后的部分）：

error-redirect-uri-mismatch-title = 无法返回该应用
error-redirect-uri-mismatch-what = 该应用要求返回到一个未登记的地址。为保护你的账号，没有向那里发送任何信息。
error-redirect-uri-mismatch-do = 这不是你的操作问题。请返回应用；如果再次出现，请告知其运营者。
error-redirect-uri-mismatch-mend = 请求中的 redirect_uri 必须与登记的地址逐字符一致，只有本机回环地址的端口可以不同。

error-unknown-client-title = 无法识别该应用
error-unknown-client-what = 将你带到这里的应用没有登记，或已被停用。
error-unknown-client-do = 请返回应用，并告知其运营者。
error-unknown-client-mend = 请检查 client_id 是否复制有误，以及它属于本服务器而不是测试服务器。

error-invalid-request-title = 该应用的请求无法处理
error-invalid-request-what = 应用发来的请求有误，无法开始登录。
error-invalid-request-do = 请返回应用重试。如果再次出现，请告知其运营者。
error-fault-missing = 缺少参数 { $parameter }。
error-fault-duplicate = 参数 { $parameter } 重复出现。
error-fault-malformed = 参数 { $parameter } 格式有误或过长。
error-fault-unsupported = 参数 { $parameter } 的值“{ $value }”不受支持，或该应用无权使用。
error-fault-pkce-required = 必须使用 PKCE：请发送 code_challenge，并将 code_challenge_method 设为 S256。
error-fault-unreadable = 无法解析请求，请以 URL 编码的参数形式发送。

error-request-too-long-title = 请求过长
error-request-too-long-what = 应用发来的请求太长，无法放进网址，因此不能开始登录。
error-request-too-long-do = 请返回应用，并告知其运营者。
error-request-too-long-mend = 网址中的请求最多 { $limit } 个字符。更长的请求请使用 PAR（RFC 9126）提交。

error-expired-title = 等待时间过长
error-expired-what = 页面停留太久，对应的登录已经失效。
error-expired-do = 请返回应用重新开始，不会丢失任何内容。

error-forbidden-title = 无法接受该表单
error-forbidden-what = 该表单不是由这个浏览器打开的页面提交的，或者你在此期间登录或退出过。
error-forbidden-do = 请返回上一页，刷新后重试，并确认浏览器允许本网站使用 Cookie。

error-account-disabled-title = 该账号无法使用
error-account-disabled-what = 你的身份已通过验证，但该账号已被停用。
error-account-disabled-do = 请联系网站管理员。

error-bound-elsewhere-title = 已绑定到其他账号
error-bound-elsewhere-what = 该{ $provider }账号已绑定到这里的另一个账号，没有做任何更改。
error-bound-elsewhere-do = 使用{ $provider }登录即可进入那个账号。

error-setup-closed-title = 该链接已失效
error-setup-closed-what = 创建首位管理员的链接只能使用一次，且一小时内有效。
error-setup-closed-do = 如果已有管理员，请直接登录；否则请重启服务器，届时会显示新的链接。

error-not-found-title = 页面不存在
error-not-found-what = 这个网址没有对应的页面。
error-not-found-do = 请检查网址是否输入有误。

error-method-not-allowed-title = 不能这样打开该网址
error-method-not-allowed-what = 页面存在，但只接受提交给它的表单。
error-method-not-allowed-do = 请返回上一页，使用页面上的按钮操作。

error-wrong-host-title = 网址不正确
error-wrong-host-what = 本服务器不使用你访问的这个网址。
error-wrong-host-do = 请改用以下网址：
error-wrong-host-mend = Host 请求头必须与签发者 { $issuer } 一致。如果使用反向代理，请原样转发 Host。

error-too-many-requests-title = 请求过于频繁
error-too-many-requests-what = 短时间内来自这里的请求过多。
error-too-many-requests-do = 请过几分钟再试。

error-unavailable-title = 服务暂时不可用
error-unavailable-what = 服务器目前无法响应，没有做任何更改。
error-unavailable-do = 请稍等片刻，然后刷新页面。

error-internal-title = 服务器出错了
error-internal-what = 服务器内部发生错误，已记入日志。
error-internal-do = 请重试。如果再次出现，请将下面的编号告知网站管理员。
