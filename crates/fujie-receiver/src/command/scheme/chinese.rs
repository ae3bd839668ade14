//! What can go wrong with a scheme, in Chinese.

use std::fmt;

use super::filled;
use crate::uri_scheme::{handover::HandoverError, Error, NameRefusal, OpeningRefusal, Unfit};

/// A fault that can be told in both languages.
pub(super) trait Chinese: fmt::Display {
    fn in_chinese(&self) -> String;
}

impl Chinese for NameRefusal {
    fn in_chinese(&self) -> String {
        match self {
            NameRefusal::Malformed => {
                "scheme 须以字母开头，只含字母、数字、“+”、“-”、“.”，不能以“.”结尾，最长 64 个字符"
            }
            NameRefusal::DriveLetter => "单个字母的 scheme 在 Windows 上是盘符",
            NameRefusal::Taken => "这个名称属于系统或公共协议，不能注册",
        }
        .to_owned()
    }
}

impl Chinese for OpeningRefusal {
    fn in_chinese(&self) -> String {
        match self {
            OpeningRefusal::Arguments => "scheme-open 只接受一个 scheme 和一个链接",
            OpeningRefusal::Name => "scheme 名称无效",
            OpeningRefusal::Uri => "这不是该 scheme 的链接",
            OpeningRefusal::Length => "链接超过 8 KiB",
        }
        .to_owned()
    }
}

impl Chinese for Unfit {
    fn in_chinese(&self) -> String {
        match self {
            Unfit::NotUtf8 => "程序路径不是 UTF-8",
            Unfit::Control => "命令为空，或含有控制字符",
            Unfit::NoFile => "程序必须是一个文件的完整路径",
            Unfit::Desktop => "程序路径含有“%”或“=”，桌面环境无法启动",
            Unfit::Windows => "命令含有引号或“%”，或有以“\\”结尾的部分，Windows 无法启动",
        }
        .to_owned()
    }
}

impl Chinese for Error {
    fn in_chinese(&self) -> String {
        match self {
            Error::Foreign { by } => filled("这个 scheme 已被其他程序注册，未作任何改动：{}", &[by]),
            Error::Unfit(why) => why.in_chinese(),
            Error::Homeless(variable) => filled("未设置 {}，找不到当前用户的文件", &[variable]),
            Error::Tool { name, said } => filled("{} 执行失败：{}", &[name, said]),
            Error::Io { at, error } => filled("{}：{}", &[at, &error.to_string()]),
        }
    }
}

impl Chinese for HandoverError {
    fn in_chinese(&self) -> String {
        match self {
            HandoverError::NobodyWaits => "没有程序在等待这个链接，其内容未被保存".to_owned(),
            HandoverError::Refused => "等待中的程序没有接受这个链接".to_owned(),
            HandoverError::SomebodyWaits => "已有另一个程序在等待这个 scheme".to_owned(),
            HandoverError::Unanswered(path) => {
                filled("等待中的程序没有响应。如果它已不在运行，请删除 {}", &[&path.to_string_lossy()])
            }
            HandoverError::NotPrivate(path) => filled("其他用户也能访问 {}，因此不予使用", &[&path.to_string_lossy()]),
            HandoverError::Io(error) => error.to_string(),
        }
    }
}
