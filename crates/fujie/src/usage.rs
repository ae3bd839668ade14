//! What is wrong with the arguments, in Chinese: one line for each kind. In English clap says it itself.

use clap::{
    Error,
    error::{ContextKind, ErrorKind},
};

/// The line, unless it is help or a version that is to be shown.
pub fn in_chinese(error: &Error) -> Option<String> {
    let told = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, value) = (told(ContextKind::InvalidArg), told(ContextKind::InvalidValue));
    let wrong = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::DisplayVersion => {
            return None;
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面缺少值"),
        ErrorKind::InvalidValue => {
            let choice = told(ContextKind::ValidValue);
            let choice = if choice.is_empty() { choice } else { format!("，可选：{choice}") };
            format!("{argument} 的值“{value}”无效{choice}")
        }
        ErrorKind::ValueValidation => format!("{argument} 的值“{value}”无效"),
        ErrorKind::UnknownArgument => format!("没有这个参数：{argument}"),
        ErrorKind::InvalidSubcommand => format!("没有这个命令：{}", told(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{argument}"),
        ErrorKind::ArgumentConflict => match told(ContextKind::PriorArg) {
            prior if prior == argument || prior.is_empty() => format!("{argument} 只能给出一次"),
            prior => format!("{argument} 不能与 {prior} 同时使用"),
        },
        ErrorKind::NoEquals => format!("{argument} 与值之间要写等号"),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} 的值的个数不对")
        }
        ErrorKind::InvalidUtf8 => "参数中有无法识别的字符".to_owned(),
        _ => "参数有误".to_owned(),
    };
    Some(format!("{wrong}。加上 --help 可以查看用法。"))
}
