// Browsers without HEIC in their list of file types give such a file none, and Gradio then refuses it as no image.
// Before Gradio sees a chosen or dropped file, name its type by its extension.
(() => {
  const TYPES = { heic: "image/heic", heif: "image/heif", hif: "image/heif", avif: "image/avif", tif: "image/tiff", tiff: "image/tiff" };

  const typed = (files) => {
    const transfer = new DataTransfer();
    for (const file of files) {
      const type = file.type || TYPES[file.name.split(".").pop().toLowerCase()] || "";
      transfer.items.add(new File([file], file.name, { type, lastModified: file.lastModified }));
    }
    return transfer;
  };
  const untyped = (files) => [...(files || [])].some((file) => !file.type);

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("input[type=file]") && untyped(event.target.files)) {
      event.target.files = typed(event.target.files).files;
    }
  }, true);

  document.addEventListener("drop", (event) => {
    if (event.isTrusted && untyped(event.dataTransfer?.files)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      event.target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: typed(event.dataTransfer.files) }));
    }
  }, true);
})();
