'use client';

import Link from 'next/link';
import { usePathname } from 'next/navigation';
import type { ReactNode } from 'react';

/** Tells which page this is. */
export function PageLink({ to, children }: { readonly to: string; readonly children: ReactNode }): ReactNode {
  return (
    <Link href={to} {...(usePathname() === to ? { 'aria-current': 'page' } : {})}>
      {children}
    </Link>
  );
}
