//! Pictures the simulators draw: QR codes and avatars. JPEG, as the real ones.
//!
//! Knows no provider and no address.

use crate::random::Stream;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jpeg_encoder::{ColorType, Encoder, EncodingError};
use qrcode::{Color, EcLevel, QrCode};

/// White modules around a QR code, as ISO/IEC 18004 asks.
const QUIET_ZONE: usize = 4;
/// Pixels of one module.
const MODULE: usize = 10;
/// The JPEG quality at which edges stay clean.
const QUALITY: u8 = 92;
/// Cells of an avatar's pattern, per side.
const CELLS: usize = 5;

/// Answers with a QR code that says `text`.
pub(crate) fn qr_code(text: &str) -> Response {
    match QrCode::with_error_correction_level(text, EcLevel::M) {
        Ok(code) => jpeg(&draw_code(&code), ColorType::Luma),
        Err(error) => {
            tracing::error!(%error, "the address does not fit into a QR code");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Answers with a pattern that depends on the key alone, `side` pixels wide and high.
pub(crate) fn avatar(key: &str, side: usize) -> Response {
    jpeg(&draw_avatar(key, side), ColorType::Rgb)
}

/// A square picture, row by row.
struct Picture {
    side: usize,
    bytes: Vec<u8>,
}

fn draw_code(code: &QrCode) -> Picture {
    let modules = code.width();
    let side = (modules + 2 * QUIET_ZONE) * MODULE;
    let colors = code.to_colors();
    let is_dark = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET_ZONE), y.checked_sub(QUIET_ZONE)) else {
            return false;
        };
        x < modules && y < modules && colors.get(y * modules + x) == Some(&Color::Dark)
    };
    let pixel = |at: usize| is_dark(at % side / MODULE, at / side / MODULE);
    let bytes = (0..side * side).map(|at| if pixel(at) { 0 } else { 255 }).collect();
    Picture { side, bytes }
}

/// A pattern with a mirror in its middle, light on a calm colour.
fn draw_avatar(key: &str, side: usize) -> Picture {
    const GROUNDS: [[u8; 3]; 6] =
        [[47, 125, 109], [63, 104, 168], [150, 88, 62], [118, 84, 156], [168, 74, 98], [92, 118, 52]];
    let mut stream = Stream::of(&[key]);
    let ground = GROUNDS.get(stream.next_below(GROUNDS.len())).copied().unwrap_or_default();
    let cells: Vec<bool> = (0..CELLS * CELLS).map(|_| stream.next_below(2) == 0).collect();
    let is_light = |x: usize, y: usize| {
        // A border of half a cell, then the pattern; its right half repeats the left one.
        let cell = |pixel: usize| (pixel * (CELLS + 1) * 2 / side).checked_sub(1).map(|half| half / 2);
        let (Some(column), Some(row)) = (cell(x), cell(y)) else {
            return false;
        };
        if column >= CELLS || row >= CELLS {
            return false;
        }
        let column = column.min(CELLS - 1 - column);
        cells.get(row * CELLS + column).copied().unwrap_or_default()
    };
    let pixel = |at: usize| {
        if is_light(at % side, at / side) { [244, 242, 236] } else { ground }
    };
    Picture { side, bytes: (0..side * side).flat_map(pixel).collect() }
}

fn jpeg(picture: &Picture, color: ColorType) -> Response {
    match encode(picture, color) {
        Ok(bytes) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "a picture could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn encode(picture: &Picture, color: ColorType) -> Result<Vec<u8>, EncodingError> {
    let side = u16::try_from(picture.side).unwrap_or(u16::MAX);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, QUALITY).encode(&picture.bytes, side, side, color)?;
    Ok(bytes)
}
