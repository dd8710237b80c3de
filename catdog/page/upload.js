// What becomes of chosen and dropped files before Gradio sees them.
// Browsers without HEIC in their list of file types give such a file none, and Gradio then refuses it as no image: its type
// is named by its extension. Among many files, one that is too large would stop all: a note takes its place, as many.py knows.
(() => {
  const TOO_LARGE = "catdog: this file is too large to be sent";
  const TYPES = { heic: "image/heic", heif: "image/heif", hif: "image/heif", avif: "image/avif", tif: "image/tiff", tiff: "image/tiff" };

  const tooLarge = (file) => file.size > window.gradio_config.max_file_size;

  // The files to send, or nothing where they can go as they are.
  const prepared = (files, many) => {
    if (![...(files || [])].some((file) => !file.type || (many && tooLarge(file)))) return null;
    const transfer = new DataTransfer();
    for (const file of files) {
      const type = file.type || TYPES[file.name.split(".").pop().toLowerCase()] || "";
      const content = many && tooLarge(file) ? TOO_LARGE : file;
      transfer.items.add(new File([content], file.name, { type, lastModified: file.lastModified }));
    }
    return transfer;
  };

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("input[type=file]")) return;
    const transfer = prepared(target.files, target.multiple || target.webkitdirectory);
    if (transfer) target.files = transfer.files;
  }, true);

  document.addEventListener("drop", (event) => {
    if (!event.isTrusted) return;
    const transfer = prepared(event.dataTransfer?.files, event.target.closest?.("#many-files"));
    if (!transfer) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    event.target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, true);
})();
