//! The text of the letters. Each clause has its letter, its sentence and the day from which it is in force.

use crate::hold::Clause;
use crate::values::Date;

/// A clause as the letters write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// The letter as people cite it.
    pub letter: &'static str,
    /// The position in the letter. Letter 108 has dashes, not numbers.
    pub place: &'static str,
    /// The sentence of the clause.
    pub sentence: &'static str,
    /// The first day on which it is in force.
    pub in_force: Date,
}

const LETTER_108: &str = "Công văn số 108/STTTT-CNTT ngày 20/01/2021";
const LETTER_125: &str = "Công văn số 125/UBND ngày 14/7/2023";
const FROM_108: Date = Date::constant(2021, 3, 1);
const FROM_125: Date = Date::constant(2023, 7, 15);

/// The law behind a clause. `None` for an order and for a policy of the operator.
pub fn law(clause: Clause) -> Option<Law> {
    let (letter, in_force) = match clause {
        Clause::Officials(_) => (LETTER_108, FROM_108),
        Clause::Citizens(_) => (LETTER_125, FROM_125),
        Clause::Order | Clause::Policy => return None,
    };
    let (place, sentence) = match clause {
        Clause::Officials(1) => (
            "gạch đầu dòng thứ 1",
            "Thông tin không trùng khớp với hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý.",
        ),
        Clause::Officials(2) => (
            "gạch đầu dòng thứ 2",
            "Khi chuyển công tác nhưng không chuyển hồ sơ tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý.",
        ),
        Clause::Officials(3) => (
            "gạch đầu dòng thứ 3",
            "Những thông tin định kỳ biến động nhưng công chức, viên chức không cập nhật tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý.",
        ),
        Clause::Officials(4) => (
            "gạch đầu dòng thứ 4",
            "Định kỳ 1 năm không rà soát, cập nhật thông tin quản lý nhân sự tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý.",
        ),
        Clause::Officials(5) => (
            "gạch đầu dòng thứ 5",
            "Những trường hợp thôi không làm việc tại cơ quan nhà nước, đến tuổi về hưu thì hệ thống sẽ tự động khóa sau khi Sở Nội vụ cập nhật tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý.",
        ),
        Clause::Officials(6) => (
            "gạch đầu dòng thứ 6",
            "Tài khoản tại đơn vị mới sẽ tự động khởi tạo sau khi hoàn thành công việc trên thay thế cho các hình thức đăng ký như trước nay.",
        ),
        Clause::Officials(7) => (
            "gạch đầu dòng thứ 7",
            "Những tài khoản công vụ không tồn tại hồ sơ nhân sự tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý thì không thể xác thực để đăng nhập vào hệ thống được.",
        ),
        Clause::Citizens("C1") => (
            "phần lưu ý, gạch đầu dòng thứ 2",
            "Thông báo kèm biểu mẫu yêu cầu chuẩn hóa tài khoản sẽ hiển thị liên tục cho đến khi người dùng điền đầy đủ, chính xác 04 thông tin tài khoản cá nhân.",
        ),
        Clause::Citizens(_) => (
            "phần lưu ý, gạch đầu dòng thứ 3",
            "Nhằm đảm bảo tính duy nhất của tài khoản, sau khi có một tài khoản được chuẩn hóa thành công, các tài khoản khác nếu có thông tin không chính xác hoặc trùng lặp thông tin sẽ bị hệ thống khóa hoạt động.",
        ),
        _ => return None,
    };
    Some(Law {
        letter,
        place,
        sentence,
        in_force,
    })
}
