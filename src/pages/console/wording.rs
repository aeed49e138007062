//! What the console calls deeds, posts, scopes and actors.

use crate::desk::account::session::StaffMember;
use crate::desk::account::staff::StaffState;
use crate::domain::event::{Actor, Deed};
use crate::domain::key::Scope;
use crate::domain::staff::{Level, Role};
use crate::pages::speech::Speech;

pub(super) fn role(role: Role, say: Speech) -> &'static str {
    let (zh, en) = match role {
        Role::Administrator => ("管理员", "Administrator"),
        Role::Registrar => ("经办", "Registrar"),
        Role::Reviewer => ("审核", "Reviewer"),
        Role::Auditor => ("审计", "Auditor"),
    };
    say.language.pick(zh, en)
}

pub(super) fn level(level: Level, say: Speech) -> &'static str {
    let (zh, en) = match level {
        Level::Province => ("省级", "Province"),
        Level::Association => ("协会", "Association"),
        Level::Ministry => ("部级", "Ministry"),
        Level::Department => ("注册管理部门", "Registration department"),
    };
    say.language.pick(zh, en)
}

/// Regions by their two digits (GB/T 2260).
pub(super) const REGIONS: [(&str, &str, &str); 34] = [
    ("11", "北京", "Beijing"),
    ("12", "天津", "Tianjin"),
    ("13", "河北", "Hebei"),
    ("14", "山西", "Shanxi"),
    ("15", "内蒙古", "Inner Mongolia"),
    ("21", "辽宁", "Liaoning"),
    ("22", "吉林", "Jilin"),
    ("23", "黑龙江", "Heilongjiang"),
    ("31", "上海", "Shanghai"),
    ("32", "江苏", "Jiangsu"),
    ("33", "浙江", "Zhejiang"),
    ("34", "安徽", "Anhui"),
    ("35", "福建", "Fujian"),
    ("36", "江西", "Jiangxi"),
    ("37", "山东", "Shandong"),
    ("41", "河南", "Henan"),
    ("42", "湖北", "Hubei"),
    ("43", "湖南", "Hunan"),
    ("44", "广东", "Guangdong"),
    ("45", "广西", "Guangxi"),
    ("46", "海南", "Hainan"),
    ("50", "重庆", "Chongqing"),
    ("51", "四川", "Sichuan"),
    ("52", "贵州", "Guizhou"),
    ("53", "云南", "Yunnan"),
    ("54", "西藏", "Xizang"),
    ("61", "陕西", "Shaanxi"),
    ("62", "甘肃", "Gansu"),
    ("63", "青海", "Qinghai"),
    ("64", "宁夏", "Ningxia"),
    ("65", "新疆", "Xinjiang"),
    ("71", "台湾", "Taiwan"),
    ("81", "香港", "Hong Kong"),
    ("82", "澳门", "Macao"),
];

/// What a region is called; its digits where they are nobody's.
pub(super) fn region(digits: &str, say: Speech) -> String {
    let known = REGIONS.iter().find(|(known, _, _)| *known == digits);
    known.map_or(digits, |(_, zh, en)| say.language.pick(zh, en)).to_owned()
}

pub(super) fn staff_state(state: StaffState, say: Speech) -> &'static str {
    let (zh, en) = match state {
        StaffState::Invited => ("已邀请", "Invited"),
        StaffState::Active => ("在职", "Active"),
        StaffState::Ended => ("已停用", "Ended"),
    };
    say.language.pick(zh, en)
}

pub(super) fn scope(scope: Scope, say: Speech) -> &'static str {
    let (zh, en) = match scope {
        Scope::Everything => ("全部权限", "Everything"),
        Scope::CertificatesRead => ("查看证书", "Read certificates"),
        Scope::CertificatesWrite => ("录入证书、决定状态", "Enter certificates, decide their status"),
        Scope::AnnotationsRead => ("查看加注件与队列", "See annotations and the queue"),
        Scope::AnnotationsWrite => ("代办、撤销、重试加注", "Order, revoke and retry annotations"),
        Scope::AuditRead => ("查看审计、生成证据包", "Read the audit trail, make evidence"),
        Scope::KeysWrite => ("管理接口密钥", "Make and end API keys"),
        Scope::StaffWrite => ("管理人员", "Manage staff"),
        Scope::TicketsWrite => ("处理工单", "Answer tickets"),
        Scope::FilingsReview => ("审核注册申报", "Review filings"),
    };
    say.language.pick(zh, en)
}

pub(in crate::pages) fn deed(deed: Deed, say: Speech) -> &'static str {
    let (zh, en) = match deed {
        Deed::CertificateEntered => ("证书入册", "Certificate entered"),
        Deed::CertificateUpdated => ("证书更新为新版本", "New version entered"),
        Deed::CertificateSuperseded => ("旧版本被取代", "Version superseded"),
        Deed::StatusDecided => ("决定证书状态", "Status decided"),
        Deed::AnnotationOrdered => ("申请加注", "Annotation ordered"),
        Deed::SealingBegun => ("开始签章", "Sealing begun"),
        Deed::AnnotationSealed => ("加注件已签章", "Copy sealed"),
        Deed::SealingPostponed => ("签章推迟", "Sealing postponed"),
        Deed::JobParked => ("任务搁置", "Job parked"),
        Deed::JobRetried => ("任务重试", "Job retried"),
        Deed::AnnotationFailed => ("加注件制作失败", "Copy failed"),
        Deed::AnnotationRevoked => ("加注件撤销", "Annotation revoked"),
        Deed::PlainCopySealed => ("免加注件已签章", "Plain copy sealed"),
        Deed::DocumentRead => ("文件被调取", "Document read"),
        Deed::EvidenceMade => ("生成证据包", "Evidence made"),
        Deed::KeyCreated => ("新建接口密钥", "API key created"),
        Deed::KeyRevoked => ("停用接口密钥", "API key revoked"),
        Deed::AccountOpened => ("注册账号", "Account opened"),
        Deed::SessionBegun => ("登录", "Logged in"),
        Deed::SessionEnded => ("退出", "Logged out"),
        Deed::SessionsEnded => ("退出所有设备", "Logged out everywhere"),
        Deed::NoticeAccepted => ("同意服务须知", "Notice accepted"),
        Deed::MobileChanged => ("更换手机号码", "Mobile changed"),
        Deed::PasswordChanged => ("修改密码", "Password changed"),
        Deed::EmailChanged => ("设置电子邮箱", "E-mail address set"),
        Deed::EmailRemoved => ("移除电子邮箱", "E-mail address removed"),
        Deed::ReminderSent => ("发送到期提醒", "Reminder sent"),
        Deed::FormerNamesChanged => ("更改曾用名", "Former names changed"),
        Deed::TicketOpened => ("提交工单", "Ticket opened"),
        Deed::TicketRead => ("查看工单附件", "Ticket's scan read"),
        Deed::TicketAnswered => ("答复工单", "Ticket answered"),
        Deed::StaffInvited => ("邀请人员", "Staff invited"),
        Deed::InvitationAccepted => ("接受邀请", "Invitation accepted"),
        Deed::StaffChanged => ("调整人员权限", "Staff changed"),
        Deed::StaffEnded => ("停用人员账号", "Staff ended"),
        Deed::SecondFactorSet => ("设置动态口令", "Second factor set"),
        Deed::SecondFactorRemoved => ("取消动态口令", "Second factor removed"),
        Deed::CaseOpened => ("新建申报", "Case opened"),
        Deed::CaseFilled => ("填写申报", "Case filled in"),
        Deed::CaseActed => ("办理申报", "Case acted upon"),
        Deed::LetterOpened => ("打开承诺书", "Commitment letter opened"),
        Deed::ProfileChanged => ("修改个人资料", "Profile changed"),
        Deed::QualificationEntered => ("资格入库", "Qualification entered"),
        Deed::AnomalyNoticed => ("发现异常", "Anomaly noticed"),
        Deed::AnomalyAnswered => ("提交申辩", "Anomaly answered"),
        Deed::CompanyEntered => ("企业入库", "Company entered"),
        Deed::CodeSent => ("发送验证码", "Code sent"),
        Deed::CodeMistyped => ("验证码输错", "Code mistyped"),
    };
    say.language.pick(zh, en)
}

/// Who, as far as it can be said without names: the register of people is not the trail's.
pub(super) fn actor(actor: Actor, staff: &StaffMember, say: Speech) -> String {
    let head =
        |id: String| id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    match actor {
        Actor::Account(id) if id == staff.who().account().id => say.pick("本人", "You").to_owned(),
        Actor::Account(id) => format!("{} …{}", say.pick("账号", "Account"), head(id.to_string())),
        Actor::Agency(id) => format!("{} …{}", say.pick("密钥", "Key"), head(id.to_string())),
        Actor::Service => say.pick("系统", "The service").to_owned(),
        Actor::Operator => say.pick("命令行", "Command line").to_owned(),
    }
}

/// A reason, where it is a word of ours said in the page's language.
pub(super) fn reason(text: &str, say: Speech) -> String {
    let (zh, en) = match text {
        "withdrawn" => ("主动撤销", "withdrawn"),
        "certificate-ended" => ("随证书失效", "the certificate ended"),
        "certificate-superseded" => ("证书已更新", "the certificate was superseded"),
        "unprintable-character" => ("有字符无法打印", "a character cannot be printed"),
        "does-not-fit" => ("内容放不进版面", "the text does not fit the page"),
        "deadline-missed" => ("超过 24 小时期限", "the deadline was missed"),
        "certificate-lapsed" => ("证书已失效", "the certificate lapsed"),
        "the certificate is suspended" => ("证书已暂停", text),
        "the photo cannot be read" => ("照片无法读取", text),
        "the signature cannot be read" => ("签名图像无法读取", text),
        "the page could not be drawn" | "drawing the page panicked" => ("版面未能生成", text),
        "sealing failed" | "sealing panicked" => ("签章未成功", text),
        _ => return text.to_owned(),
    };
    say.pick(zh, en).to_owned()
}
