/** Shows the copy buttons, and folds the contents on a narrow screen. Everything is there to read without it. */
export const SCRIPT = `
for (const button of document.querySelectorAll('.curl button')) {
  const text = button.parentElement.querySelector('code').textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}
if (matchMedia('(max-width: 60rem)').matches) document.querySelector('.contents').open = false;
`;
