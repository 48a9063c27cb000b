# Dòng lệnh: hướng dẫn, và điều chưa đúng
usage = Cách dùng
usage-commands = Lệnh
usage-arguments = Tham số
usage-options = Tùy chọn
usage-default = mặc định: { $value }
usage-env = biến môi trường { $name }
usage-help = Thêm --help để xem hướng dẫn.

usage-no-command = Không có lệnh “{ $command }”.
usage-no-argument = Lệnh này không có “{ $argument }”.
usage-command-missing = Còn thiếu tên lệnh.
usage-argument-missing = Còn thiếu: { $argument }.
usage-conflict = { $argument } không dùng cùng { $other }.
usage-twice = { $argument } chỉ dùng một lần.
usage-value = { $argument } không nhận “{ $value }”.
usage-value-why = { $argument }: “{ $value }” { $why }.
usage-value-missing = { $argument } cần có giá trị.
usage-value-too-many = { $argument } không nhận thêm “{ $value }”.
usage-not-utf8 = Dòng lệnh có chữ không đọc được; cần chữ UTF-8.
usage-valid = Dùng được: { $right }.
usage-suggested = Có phải là { $right }?

usage-day = không phải một ngày dương lịch từ năm 1800 đến năm 2199 (ví dụ: 2023-07-31 hoặc 31/7/2023)
usage-time = không phải một thời điểm (ví dụ: 2023-07-16T08:30:00+07:00 hoặc 2023-07-16)
usage-address = không phải một địa chỉ có cổng (ví dụ: 127.0.0.1:8080)
