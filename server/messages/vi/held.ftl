# Lối ra cho tài khoản đang bị khóa: gộp, đề nghị xem xét lại.
held-join = Gộp tài khoản
held-code = Nhận mã để mở tài khoản
held-review = Đề nghị xem xét lại
error-cannot-join = Hai tài khoản này chưa gộp được: một bên không còn trùng thông tin với bên kia, hoặc đang bị khóa theo yêu cầu.

held-code-lead = Mã xác thực đã gửi đến số điện thoại { $phone }. Nhập đúng mã, tài khoản hết bị khóa vì lâu chưa đăng nhập.
held-code-lead-mail = Mã xác thực đã gửi đến thư điện tử của tài khoản. Nhập đúng mã, tài khoản hết bị khóa vì lâu chưa đăng nhập.
held-code-back = Quay lại
held-code-nowhere-title = Chưa gửi được mã
held-code-nowhere = Tài khoản chưa có số điện thoại hoặc thư điện tử. Mời liên hệ bộ phận tổ chức cán bộ của đơn vị để bổ sung vào hồ sơ nhân sự; sau lần đối chiếu kế tiếp sẽ nhận được mã.

join-title = Gộp hai tài khoản của tôi
join-lead = Dành cho hai tài khoản của cùng một người. Nhập tên đăng nhập và mật khẩu của tài khoản đã chuẩn hóa; bước sau được chọn tài khoản giữ lại. Dữ liệu của cả hai tài khoản không bị mất.
join-username = Tên đăng nhập của tài khoản kia
join-password = Mật khẩu của tài khoản kia
join-password-hint = Để trống nếu tài khoản đó chưa có mật khẩu: mã xác thực sẽ được gửi đến điện thoại của tài khoản đó.
join-send = Tiếp tục
join-back = Quay lại
join-another = Tài khoản này không phải tài khoản đã chuẩn hóa bằng số căn cước đang trùng. Mời nhập tài khoản khác, hoặc chọn Đề nghị xem xét lại.
join-code-lead = Nếu tài khoản đó chưa có mật khẩu, mã xác thực đã được gửi đến điện thoại hoặc thư điện tử của tài khoản.
join-choose-title = Chọn tài khoản giữ lại
join-choose-lead = Tài khoản không được chọn sẽ bị khóa, dữ liệu vẫn được lưu.
join-choose-holder = { $account } (đã chuẩn hóa)
join-choose-held = { $account } (đang dùng để vào trang này)
join-hint-account = Tên đăng nhập { $username } · lập ngày { $created } · dùng gần nhất { $last }
join-unknown = chưa rõ
join-choose-send = Gộp tài khoản
join-choose-empty = Mời chọn tài khoản giữ lại.
join-late = Đã quá thời gian chọn. Mời làm lại từ đầu.
join-done-title = Đã gộp tài khoản
join-done-holder = Từ nay dùng tài khoản { $account }, và đã đăng nhập vào tài khoản này. Tài khoản kia vẫn bị khóa, dữ liệu vẫn được lưu.
join-done-held = Tài khoản { $account } được giữ lại và đã chuẩn hóa. Mời chọn Tiếp tục.
sms-joined = Hue-S: da gop tai khoan { $goes } vao tai khoan { $stays }. Neu khong phai ong/ba thuc hien, goi 19001075.

review-title = Đã nhận đề nghị xem xét lại
review-text = Mời mang thẻ căn cước đến quầy hỗ trợ gần nhất trong giờ làm việc, và đọc mã tra cứu. Cán bộ tiếp nhận sẽ đối chiếu giấy tờ và giải quyết. Dữ liệu trong tài khoản không bị mất.
review-open = Đã đề nghị xem xét lại, mã tra cứu
event-joined = Gộp vào tài khoản { $account }
event-review = Đề nghị xem xét lại, mã tra cứu { $receipt }
held-recorded = Đã ghi nhận. Tài khoản còn { $n } lý do khóa, nêu dưới đây.
held-account = Tài khoản { $username } · { $unit }
held-until = Trang này mở đến { $at }. Sau đó mời đăng nhập lại để xem tiếp.
held-move-on = Tiếp tục bằng tài khoản mới
held-move-sign-in = Đăng nhập bằng tài khoản mới
