//! QR codes as a matrix of modules, for a screen to draw.

use crate::error::QrError;
use qrcode::{EcLevel, QrCode};

/// The modules of a QR code, without the quiet zone around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrMatrix {
    /// Modules on each side.
    pub size: u32,
    /// Row by row; 1 is dark, 0 is light.
    pub modules: Vec<u8>,
}

/// Draws a text at error correction level M, which survives a scratched screen. A text in upper
/// case (such as a pay address) takes the denser alphanumeric mode by itself.
pub fn qr_code(text: &str) -> Result<QrMatrix, QrError> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError::TooLong)?;
    let size = u32::try_from(code.width()).map_err(|_| QrError::TooLong)?;
    let modules =
        code.to_colors().into_iter().map(|color| u8::from(color == qrcode::Color::Dark)).collect();
    Ok(QrMatrix { size, modules })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_square_with_its_three_finders() {
        let qr = qr_code("HTTPS://PAY.EXAMPLE/O/ABC").unwrap();
        let size = usize::try_from(qr.size).unwrap();
        assert_eq!(qr.modules.len(), size * size);
        for corner in [0, size - 7, size * (size - 7)] {
            assert_eq!(&qr.modules[corner..corner + 7], [1; 7]);
        }
    }

    #[test]
    fn upper_case_takes_the_dense_mode() {
        // 2 characters in 11 bits, against 8 bits each.
        let dense = qr_code(&"A".repeat(400)).unwrap();
        let plain = qr_code(&"a".repeat(400)).unwrap();
        assert!(dense.size < plain.size);
        assert_eq!(qr_code(&"A".repeat(600)).unwrap().size, 77, "version 15");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(qr_code(&"A".repeat(5000)), Err(QrError::TooLong));
    }
}
