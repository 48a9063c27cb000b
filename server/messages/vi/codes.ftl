# Mã xác thực, và các tin nhắn gửi mã.
code-label = Mã xác thực (OTP)
code-hint = Gồm 6 số, dùng được trong 5 phút
code-send = Tiếp tục
code-again = Gửi lại mã
code-never = Không đọc mã này cho bất kỳ ai. Cán bộ không bao giờ hỏi mã xác thực.
code-wrong = Mã chưa đúng. Còn { $left } lần nhập; quá số lần thì chọn Gửi lại mã.
code-over = Mã đã hết hạn hoặc đã nhập quá số lần. Mời chọn Gửi lại mã.
code-too-often = Đã gửi nhiều mã. Mời thử lại sau 1 giờ, hoặc đến quầy hỗ trợ.
sms-code = Hue-S: ma xac thuc la { $code }, dung trong 5 phut. Khong doc ma nay cho bat ky ai.

form-code-title = Nhập mã xác thực
form-code-lead = Mã xác thực đã gửi đến số điện thoại { $phone }. Đây là bước cuối để chuẩn hóa tài khoản.
form-code-back = Sửa lại thông tin đã nhập
form-fields-ask = Gửi mã để xem ô nào chưa khớp
form-fields-hint = Mã gửi đến số điện thoại đã đăng ký khi làm thẻ căn cước.
form-fields-title = Xem ô nào chưa khớp
form-fields-lead = Nếu số căn cước vừa nhập có trong dữ liệu dân cư, mã xác thực đã được gửi đến số điện thoại đăng ký khi làm thẻ.
form-fields-error-one = Ba thông tin đã khớp. Chưa khớp: { $fields }. Nếu đã đổi thẻ, mời nhập theo thẻ mới nhất.
form-fields-error = Chưa khớp: { $fields }. Nếu đã đổi thẻ, mời nhập theo thẻ mới nhất.
form-fields-fine = Cả bốn thông tin nay đã khớp. Mời gửi lại.

sign-in-by-code = Tài khoản chưa có mật khẩu: đăng nhập bằng mã xác thực
sign-in-code-title = Đăng nhập bằng mã xác thực
sign-in-code-lead = Dành cho tài khoản chưa có mật khẩu. Mã được gửi đến số điện thoại hoặc thư điện tử đã đăng ký cho tài khoản.
sign-in-code-sent-title = Nhập mã xác thực
sign-in-code-sent-lead = Nếu tên đăng nhập này có tài khoản chưa có mật khẩu, mã đã được gửi đến số điện thoại hoặc thư điện tử của tài khoản.
sign-in-code-back = Nhập tên đăng nhập khác
sign-in-code-send = Gửi mã
sign-in-kept = Phiên đăng nhập đã hết. Thông tin vừa nhập vẫn được giữ 30 phút: mời đăng nhập lại để gửi tiếp.
