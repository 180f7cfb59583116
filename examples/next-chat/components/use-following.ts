import { useEffect, useRef } from 'react';

/**
 * Keeps the end of the page in view while it grows, from a call of the returned function until the reader scrolls up;
 * back at the end, it follows again.
 * @param content what the page shows; it may have grown when any of it changes
 */
export function useFollowing(...content: readonly unknown[]): () => void {
  const follows = useRef(false);
  useEffect(() => {
    let last = window.scrollY;
    const onScroll = (): void => {
      const left = document.documentElement.scrollHeight - window.innerHeight - window.scrollY;
      if (left < 2) follows.current = true;
      else if (window.scrollY < last) follows.current = false;
      last = window.scrollY;
    };
    window.addEventListener('scroll', onScroll, { passive: true });
    return () => window.removeEventListener('scroll', onScroll);
  }, []);
  useEffect(() => {
    if (follows.current) window.scrollTo({ top: document.documentElement.scrollHeight });
  }, content);
  return () => {
    follows.current = true;
  };
}
